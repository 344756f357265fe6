package dev.remora.models.synthetic;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.json.Json;
import dev.remora.core.tokenizer.Tokenizer;
import dev.remora.core.tokenizer.TokenizerLoader;
import dev.remora.fp8.E4m3;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.models.LoadProgress;
import dev.remora.models.Session;
import dev.remora.models.VectorKernels;
import dev.remora.models.synthetic.Specification.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Small models through the same code as the large ones: made, loaded, saved, loaded again. */
class SyntheticCheckpointTest {
    /** Every part of the family: compressed queries, groups, shared experts, a bias, YaRN, blocks that are partial. */
    private static final String SMALL = """
            {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "vocab_size": 300,
             "hidden_size": 192, "intermediate_size": 320, "moe_intermediate_size": 80, "num_hidden_layers": 3,
             "num_attention_heads": 3, "q_lora_rank": 96, "kv_lora_rank": 64, "qk_nope_head_dim": 32,
             "qk_rope_head_dim": 16, "v_head_dim": 48, "n_routed_experts": 8, "n_shared_experts": 2,
             "num_experts_per_tok": 3, "n_group": 4, "topk_group": 2, "scoring_func": "sigmoid",
             "topk_method": "noaux_tc", "norm_topk_prob": true, "routed_scaling_factor": 2.5,
             "first_k_dense_replace": 1, "moe_layer_freq": 1, "max_position_embeddings": 512, "rope_theta": 10000,
             "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 128},
             "rms_norm_eps": 1e-6, "hidden_act": "silu", "bos_token_id": 280, "eos_token_id": [281, 290]}
            """;

    private static final int[] IDS = {280, 5, 77, 299, 0, 1, 2, 3, 5, 77, 200, 150, 42};

    @TempDir
    Path temporary;

    private static Specification small(Precision precision) {
        return small(SMALL, precision);
    }

    private static Specification small(String config, Precision precision) {
        Specification all =
                Specification.of("small", Json.object(config.getBytes(StandardCharsets.UTF_8), "small.json"));
        return all.with(all.layers(), all.experts(), precision);
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void savedItHasTheLogitsOfTheOneInMemory(Precision precision) {
        SyntheticModel model = new SyntheticModel(small(precision));
        Path folder = temporary.resolve("saved");
        model.save(folder, progress -> {});
        List<float[]> expected = logits(model.load(LoadOptions.defaults()));
        List<float[]> actual = logits(Llm.load(folder));
        assertEquals(IDS.length, expected.size());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "row " + row);
            for (float logit : expected.get(row)) {
                assertTrue(Float.isFinite(logit), "row " + row);
            }
        }
        assertNotEquals(expected.get(3)[0], expected.get(9)[0]);
    }

    /** As wide and deep as DeepSeek-V2-Lite: the residual stream neither dies nor explodes. */
    @Test
    void widthAndDepthOfAReleasedModelGiveLogitsThatDiffer() {
        String wide = SMALL.replace("\"hidden_size\": 192", "\"hidden_size\": 2048")
                .replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 27")
                .replace("\"vocab_size\": 300", "\"vocab_size\": 2000");
        SyntheticModel model = new SyntheticModel(small(wide, Precision.FP8));
        List<float[]> rows = logits(model.load(LoadOptions.defaults().withContextLength(64)));
        for (float[] row : rows) {
            double sum = 0;
            double squares = 0;
            for (float logit : row) {
                sum += logit;
                squares += (double) logit * logit;
            }
            double mean = sum / row.length;
            double deviation = Math.sqrt(squares / row.length - mean * mean);
            // The head's weights times a normed row: 0.02 * sqrt(2048).
            assertEquals(0.905, deviation, 0.05);
        }
    }

    @Test
    void everyAskingGivesTheSameTensors() {
        CheckpointSource source = new SyntheticModel(small(Precision.FP8)).source();
        try (Checkpoint one = Checkpoint.open(source);
                Checkpoint other = Checkpoint.open(source)) {
            for (Tensor tensor : one.tensors()) {
                assertEquals(
                        -1, tensor.data().mismatch(other.tensor(tensor.name()).data()), tensor.name());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void theTensorsAreThoseThatWerePlanned(Precision precision) {
        SyntheticModel model = new SyntheticModel(small(precision));
        DType matrices =
                precision == Precision.FP8 ? DType.F8_E4M3 : precision == Precision.F32 ? DType.F32 : DType.BF16;
        DType others = precision == Precision.F32 ? DType.F32 : DType.BF16;
        try (Checkpoint checkpoint = Checkpoint.open(model.source())) {
            assertEquals(model.bytes(), checkpoint.byteSize());
            assertEquals(
                    matrices,
                    checkpoint
                            .expect("model.layers.2.mlp.experts.7.down_proj.weight", 192, 80)
                            .dtype());
            assertEquals(
                    matrices,
                    checkpoint
                            .expect("model.layers.0.self_attn.kv_b_proj.weight", 240, 64)
                            .dtype());
            assertEquals(others, checkpoint.expect("lm_head.weight", 300, 192).dtype());
            assertEquals(
                    others,
                    checkpoint.expect("model.layers.1.mlp.gate.weight", 8, 192).dtype());
            assertEquals(others, checkpoint.expect("model.norm.weight", 192).dtype());
            assertEquals(
                    DType.F32,
                    checkpoint
                            .expect("model.layers.1.mlp.gate.e_score_correction_bias", 8)
                            .dtype());
            String scale = "model.layers.0.mlp.down_proj.weight_scale_inv";
            assertEquals(precision == Precision.FP8, checkpoint.has(scale));
            if (precision == Precision.FP8) {
                checkpoint.expect(scale, 2, 3);
            }
        }
    }

    /** Gaussian, and no block without its largest code: what a real checkpoint holds, no NaN and few subnormals. */
    @Test
    void codesAreThoseOfGaussianNumbers() {
        SyntheticModel model = new SyntheticModel(
                small(SMALL.replace("\"intermediate_size\": 320", "\"intermediate_size\": 10944"), Precision.FP8));
        try (Checkpoint checkpoint = Checkpoint.open(model.source())) {
            byte[] codes = checkpoint
                    .tensor("model.layers.0.mlp.up_proj.weight")
                    .data()
                    .toArray(ValueLayout.JAVA_BYTE);
            int[] counts = new int[128];
            double squares = 0;
            for (byte code : codes) {
                counts[code & 0x7f]++;
                squares += Math.pow(E4m3.toFloat(code), 2);
            }
            assertEquals(0, counts[0x7f]);
            assertTrue(counts[0x7e] > 0);
            int subnormal = 0;
            for (int code = 0; code < 8; code++) {
                subnormal += counts[code];
            }
            assertTrue(subnormal < codes.length / 1000, subnormal + " subnormals");
            // The largest of 16,384 lies about 4 deviations out.
            assertEquals(112, Math.sqrt(squares / codes.length), 8);
        }
    }

    @Test
    void textAndTokensWork() {
        try (Llm llm = new SyntheticModel(small(Precision.BF16)).load(LoadOptions.defaults());
                Session session = llm.session(64)) {
            Tokenizer tokenizer = llm.tokenizer();
            String text = "Grüße, 世界!\n\u0000";
            int[] ids = tokenizer.encode(text);
            assertEquals(text.getBytes(StandardCharsets.UTF_8).length, ids.length);
            assertEquals(text, tokenizer.decode(ids));
            assertEquals(OptionalInt.of(280), tokenizer.specialTokens().bos());
            assertEquals(List.of(281, 290), llm.info().specialIds().eos());
            assertEquals(" w299", tokenizer.decode(new int[] {299}));
            String answer = session.generate(
                            "To be", GenerationOptions.greedy().withMaxTokens(5).withIgnoreEos(true))
                    .text();
            assertFalse(answer.isEmpty());
        }
    }

    @Test
    void theTokenizerFillsTheTrueVocabulary() {
        // One whose text begins with a special token, one without; both at ids of their own.
        for (String name : List.of("deepseek-v3", "glm-4.7-flash")) {
            Specification specification = Specification.parse(name);
            SyntheticTokenizer files = new SyntheticTokenizer(specification);
            Tokenizer tokenizer = TokenizerLoader.fromJson(
                    files.tokenizerJson(),
                    "tokenizer.json",
                    Json.object(files.tokenizerConfigJson(), "tokenizer_config.json"));
            assertEquals(specification.config().vocabSize(), tokenizer.vocabSize(), name);
            assertEquals("héllo", tokenizer.decode(tokenizer.encode("héllo")), name);
            assertEquals(specification.bos(), tokenizer.specialTokens().bos(), name);
        }
    }

    @Test
    void aLargeModelIsCutIntoShardsWithAnIndex() throws IOException {
        SyntheticModel model = new SyntheticModel(small(Precision.FP8));
        CheckpointSource source = model.source();
        Path folder = temporary.resolve("new").resolve("sharded");
        model.save(folder, 200_000, progress -> {});
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names =
                    files.map(f -> f.getFileName().toString()).sorted().toList();
            assertTrue(names.contains("model.safetensors.index.json"), names.toString());
            assertTrue(names.contains("model-00009-of-00009.safetensors"), names.toString());
            assertFalse(names.contains("model.safetensors"), names.toString());
            assertTrue(names.stream().noneMatch(n -> n.startsWith(".")), names.toString());
        }
        try (Checkpoint memory = Checkpoint.open(source);
                Checkpoint saved = Checkpoint.open(CheckpointSource.ofFolder(folder))) {
            assertEquals(List.copyOf(memory.names()), List.copyOf(saved.names()));
            for (Tensor tensor : memory.tensors()) {
                assertEquals(
                        -1, tensor.data().mismatch(saved.tensor(tensor.name()).data()), tensor.name());
            }
        }
    }

    @Test
    void progressEndsWithAllBytes() {
        SyntheticModel model = new SyntheticModel(small(Precision.BF16));
        List<LoadProgress> seen = new ArrayList<>();
        model.save(temporary.resolve("saved"), seen::add);
        assertEquals(new LoadProgress(0, model.bytes(), "saving weights"), seen.getFirst());
        assertEquals(new LoadProgress(model.bytes(), model.bytes(), "saving weights"), seen.getLast());
    }

    @Test
    void aFolderThatHoldsAnythingIsLeftAlone() throws IOException {
        SyntheticModel model = new SyntheticModel(small(Precision.BF16));
        Path folder = Files.createDirectory(temporary.resolve("full"));
        Path note = Files.writeString(folder.resolve("notes.txt"), "mine");
        RemoraException e = assertThrows(RemoraException.class, () -> model.save(folder, progress -> {}));
        assertEquals(
                folder + ": expected a new or empty folder, found notes.txt in it; nothing is overwritten. Name another"
                        + " folder, or empty this one",
                e.getMessage());
        e = assertThrows(RemoraException.class, () -> model.save(note, progress -> {}));
        assertEquals(note + ": expected a new or empty folder, found a file", e.getMessage());
        assertEquals("mine", Files.readString(note));
    }

    @Test
    void whatFailsHalfwayLeavesNothing() throws IOException {
        SyntheticModel model = new SyntheticModel(small(Precision.BF16));
        Path fresh = temporary.resolve("fresh");
        Path empty = Files.createDirectory(temporary.resolve("empty"));
        for (Path folder : List.of(fresh, empty)) {
            assertThrows(
                    IllegalStateException.class,
                    () -> model.save(folder, progress -> {
                        if (progress.bytesDone() > model.bytes() / 2) {
                            throw new IllegalStateException("enough");
                        }
                    }));
        }
        assertFalse(Files.exists(fresh));
        try (Stream<Path> files = Files.list(empty)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void aFileThatCannotMoveTakesTheOthersWithIt() throws IOException {
        SyntheticModel model = new SyntheticModel(small(Precision.BF16));
        Path folder = temporary.resolve("obstructed");
        Path obstacle = folder.resolve("tokenizer.json");
        RemoraException e = assertThrows(
                RemoraException.class,
                () -> model.save(folder, progress -> {
                    if (progress.bytesDone() == model.bytes()) {
                        mkdirs(obstacle.resolve("mine"));
                    }
                }));
        assertTrue(e.getMessage().startsWith(folder + ": cannot be written: "), e.getMessage());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(obstacle), files.toList());
        }
    }

    private static void mkdirs(Path path) {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theSourceNamesWhatItHas() {
        CheckpointSource source = SyntheticModel.parse("moonlight,layers=1").source();
        assertEquals(
                List.of(
                        "config.json",
                        "generation_config.json",
                        "model.safetensors",
                        "tokenizer.json",
                        "tokenizer_config.json"),
                source.names());
        assertEquals("synthetic:moonlight,layers=1,experts=64,dtype=bf16", source.describe());
        assertFalse(source.exists("chat_template.jinja"));
        assertThrows(CheckpointException.class, () -> source.read("chat_template.jinja"));
        try (Arena arena = Arena.ofConfined()) {
            assertThrows(CheckpointException.class, () -> source.map("model.safetensors", arena));
            assertThrows(CheckpointException.class, () -> source.tensors("other.safetensors", arena));
        }
    }

    private static List<float[]> logits(Llm model) {
        VectorKernels.await();
        List<float[]> rows = new ArrayList<>();
        try (Llm llm = model;
                Session session = llm.session(64)) {
            session.score(IDS, (index, row) -> rows.add(row.clone()));
        }
        return rows;
    }
}
