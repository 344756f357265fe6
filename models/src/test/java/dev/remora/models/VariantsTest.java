package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same model, published in another form, gives the same logits, bit for bit: names, keys and files decide nothing. */
class VariantsTest {
    @TempDir
    Path folder;

    @Tag("widths")
    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v2-grouped", "v3-fp8", "moonlight"})
    void theFrontDoorGivesTheReferencesLogits(String name) {
        CheckpointSource source = CheckpointSource.ofFolder(TestCheckpoint.folder(name));
        List<float[]> logits = Logits.of(TestCheckpoint.folder(name), Logits.ints(source, "input_ids"));
        double difference = Logits.difference(Logits.rows(source, "logits"), logits);
        assertTrue(difference <= Logits.TOLERANCE, name + " differs by " + difference + " of the largest logit");
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v2-grouped", "moonlight"})
    void fusedExperts(String name) {
        TestCheckpoint variant = TestCheckpoint.golden(name);
        variant.fuseExperts();
        assertTrue(variant.tensors.containsKey("model.layers.2.mlp.experts.gate_up_proj"));
        assertSameLogits(name, variant, 1);
    }

    @ParameterizedTest
    @CsvSource({"v2-lite, 3", "v2-grouped, 2", "v3-fp8, 1", "moonlight, 7"})
    void oneFileOrShards(String name, int shards) {
        assertSameLogits(name, TestCheckpoint.golden(name), shards);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v2-grouped", "v3-fp8", "moonlight"})
    void ropeParameters(String name) {
        TestCheckpoint variant = TestCheckpoint.golden(name);
        Map<String, Object> parameters = new HashMap<>();
        if (variant.config.remove("rope_scaling") instanceof Map<?, ?> scaling) {
            parameters.putAll(TestCheckpoint.object(scaling));
            parameters.remove("type");
        } else {
            parameters.put("rope_type", "default");
        }
        parameters.put("rope_theta", variant.config.remove("rope_theta"));
        variant.config.put("rope_parameters", parameters);
        assertSameLogits(name, variant, 1);
    }

    @ParameterizedTest
    @CsvSource({
        "v2-lite, language_model.model., language_model.lm_head.weight, false",
        "moonlight, model.language_model., lm_head.weight, false",
        "v3-fp8, language_model.model., language_model.lm_head.weight, false",
        "v3-fp8, language_model.model., language_model.lm_head.weight, true"
    })
    void languageModelWithinAnother(String name, String prefix, String head, boolean quantizationOutside) {
        TestCheckpoint variant = TestCheckpoint.golden(name);
        Map<String, Object> text = new HashMap<>(variant.config);
        variant.config.clear();
        variant.config.put("model_type", "kimi_k25");
        variant.config.put("vision_config", Map.of("hidden_size", 12L));
        if (quantizationOutside) {
            variant.config.put("quantization_config", text.remove("quantization_config"));
        }
        variant.config.put("text_config", text);
        variant.rename(n -> n.equals("lm_head.weight") ? head : prefix + n.substring("model.".length()));
        variant.store("vision_tower.patch_embed.weight", DType.F32, new float[12], 3, 4);
        variant.store("model.visual.blocks.0.norm.weight", DType.F32, new float[12], 12);
        variant.store("mm_projector.linear_1.bias", DType.BF16, new float[5], 5);
        assertSameLogits(name, variant, 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v3-fp8"})
    void mlpLayerTypes(String name) {
        TestCheckpoint variant = TestCheckpoint.golden(name);
        variant.config.remove("first_k_dense_replace");
        variant.config.remove("moe_layer_freq");
        variant.config.put(
                "mlp_layer_types",
                name.equals("v2-lite")
                        ? List.of("dense", "sparse", "sparse")
                        : List.of("dense", "dense", "sparse", "sparse"));
        assertSameLogits(name, variant, 1);
    }

    @Test
    void mlpLayerTypesSayWhatTheFrequencySays() {
        TestCheckpoint byFrequency = TestCheckpoint.golden("moonlight");
        // The first two layers exchange their feed-forward networks: sparse, dense, sparse.
        byFrequency.rename(n -> n.startsWith("model.layers.0.mlp.")
                ? n.replace("layers.0", "layers.1")
                : n.startsWith("model.layers.1.mlp.") ? n.replace("layers.1", "layers.0") : n);
        byFrequency.config.put("first_k_dense_replace", 0L);
        byFrequency.config.put("moe_layer_freq", 2L);
        List<float[]> expected = Logits.of(byFrequency.write(folder.resolve("frequency"), 1), ids("moonlight"));
        byFrequency.config.remove("first_k_dense_replace");
        byFrequency.config.remove("moe_layer_freq");
        byFrequency.config.put("mlp_layer_types", List.of("sparse", "dense", "sparse"));
        assertSame(expected, Logits.of(byFrequency.write(folder.resolve("types"), 1), ids("moonlight")));
    }

    @Test
    void kimiK2IsComputedAsDeepseekV3() {
        TestCheckpoint variant = TestCheckpoint.golden("moonlight");
        variant.config.put("model_type", "kimi_k2");
        variant.config.put("architectures", List.of("DeepseekV3ForCausalLM"));
        assertSameLogits("moonlight", variant, 1);
    }

    @Test
    void extraPredictionLayersAreNoPartOfTheForwardPass() {
        TestCheckpoint without = TestCheckpoint.golden("v3-fp8");
        without.tensors.keySet().removeIf(name -> name.startsWith("model.layers.4."));
        without.config.remove("num_nextn_predict_layers");
        assertSameLogits("v3-fp8", without, 1);

        TestCheckpoint with = TestCheckpoint.golden("moonlight");
        with.config.put("num_nextn_predict_layers", 1L);
        for (String name : List.copyOf(with.tensors.keySet())) {
            if (name.startsWith("model.layers.2.")) {
                with.tensors.put(name.replace("layers.2", "layers.3"), with.tensor(name));
            }
        }
        with.store("model.layers.3.eh_proj.weight", DType.BF16, new float[160 * 320], 160, 320);
        for (String name : List.of("enorm", "hnorm", "shared_head.norm")) {
            with.store("model.layers.3." + name + ".weight", DType.BF16, new float[160], 160);
        }
        with.tensors.put("model.layers.3.embed_tokens.weight", with.tensor("model.embed_tokens.weight"));
        with.tensors.put("model.layers.3.shared_head.head.weight", with.tensor("lm_head.weight"));
        assertSameLogits("moonlight", with, 1);
    }

    @ParameterizedTest
    @CsvSource({"v2-lite, false", "v2-lite, true", "v2-grouped, false"})
    void tiedEmbeddings(String name, boolean secondCopy) {
        TestCheckpoint untied = TestCheckpoint.golden(name);
        untied.tensors.put("lm_head.weight", untied.tensor("model.embed_tokens.weight"));
        List<float[]> expected = Logits.of(untied.write(folder.resolve("untied"), 1), ids(name));
        untied.config.put("tie_word_embeddings", true);
        if (!secondCopy) {
            untied.tensors.remove("lm_head.weight");
        }
        assertSame(expected, Logits.of(untied.write(folder.resolve("tied"), 1), ids(name)));
    }

    @Test
    void inverseFrequenciesInTheFileAreIgnored() {
        TestCheckpoint variant = TestCheckpoint.golden("v2-lite");
        variant.store("model.layers.1.self_attn.rotary_emb.inv_freq", DType.F32, new float[8], 8);
        assertSameLogits("v2-lite", variant, 1);
    }

    @Test
    void rowsOfZeroBiasChangeNothing() {
        TestCheckpoint variant = TestCheckpoint.golden("v2-grouped");
        variant.config.put("attention_bias", true);
        for (int layer = 0; layer < 3; layer++) {
            String attention = "model.layers." + layer + ".self_attn.";
            variant.store(attention + "q_a_proj.bias", DType.F32, new float[56], 56);
            variant.store(attention + "kv_a_proj_with_mqa.bias", DType.F32, new float[64], 64);
            variant.store(attention + "o_proj.bias", DType.F32, new float[160], 160);
        }
        assertSameLogits("v2-grouped", variant, 1);
    }

    @Tag("widths")
    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "moonlight"})
    void f32HoldsTheNumbersThatBf16Holds(String name) {
        TestCheckpoint variant = TestCheckpoint.golden(name);
        variant.replace(n -> variant.converted(n, DType.F32));
        assertSameLogits(name, variant, 1);
    }

    @Test
    void formatsMayDifferFromTensorToTensor() {
        TestCheckpoint variant = TestCheckpoint.golden("moonlight");
        variant.replace(n -> Math.floorMod(n.hashCode(), 3) == 0 ? variant.converted(n, DType.F32) : variant.tensor(n));
        assertEquals(
                Set.of(DType.F32, DType.BF16),
                Set.copyOf(variant.tensors.values().stream()
                        .filter(t -> t.shape.length == 2)
                        .map(t -> t.dtype)
                        .toList()));
        assertSameLogits("moonlight", variant, 2);
    }

    @Tag("widths")
    @Test
    void f16HoldsTheNumbersThatF32Holds() {
        TestCheckpoint half = TestCheckpoint.golden("v2-lite");
        // Rounds what BF16 holds and F16 does not; the F32 checkpoint then holds the rounded numbers.
        half.replace(name -> half.converted(name, DType.F16));
        TestCheckpoint single = TestCheckpoint.golden("v2-lite");
        single.replace(name -> half.converted(name, DType.F32));
        assertSame(
                Logits.of(single.write(folder.resolve("f32"), 1), ids("v2-lite")),
                Logits.of(half.write(folder.resolve("f16"), 1), ids("v2-lite")));
        double rounding = Logits.difference(
                Logits.of(TestCheckpoint.folder("v2-lite"), ids("v2-lite")),
                Logits.of(folder.resolve("f16"), ids("v2-lite")));
        assertTrue(rounding < 1e-2, "rounded to F16 the logits differ by " + rounding);
    }

    private void assertSameLogits(String name, TestCheckpoint variant, int shards) {
        List<float[]> expected = Logits.of(TestCheckpoint.folder(name), ids(name));
        Path variantFolder = folder.resolve("variant-" + variant.config.get("model_type") + variant.tensors.size());
        assertSame(expected, Logits.of(variant.write(variantFolder, shards), ids(name)));
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "logits of row " + row);
        }
    }

    private static int[] ids(String name) {
        return Logits.ints(CheckpointSource.ofFolder(TestCheckpoint.folder(name)), "input_ids");
    }
}
