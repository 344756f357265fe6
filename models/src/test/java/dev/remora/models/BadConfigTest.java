package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every mistake in config.json has its message: which file, which key, what was expected, what was found. */
class BadConfigTest {
    @TempDir
    Path folder;

    @Test
    void noSuchFolder() {
        Path missing = folder.resolve("nowhere");
        FailedLoad.of(missing, CheckpointException.class, "nowhere: no such folder", "config.json");
    }

    @Test
    void aFileInPlaceOfAFolder() throws IOException {
        Path file = Files.writeString(folder.resolve("model.gguf"), "GGUF");
        FailedLoad.of(file, CheckpointException.class, "model.gguf", "expected a folder, found a file");
    }

    @Test
    void emptyFolder() {
        FailedLoad.of(folder, CheckpointException.class, folder.toString(), "the folder is empty", "config.json");
    }

    @Test
    void noConfig() throws IOException {
        Files.writeString(folder.resolve("model.gguf"), "GGUF");
        FailedLoad.of(folder, CheckpointException.class, "config.json: no such file", "model.gguf");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|expected JSON, found an empty document",
                "{\"a\": 1,}|invalid JSON",
                "{\"vocab_size\": 1 \"hidden_size\": 2}|line 1, column 18",
                "{\"a\": 1} {}|after the JSON value",
                "{\"a\": 1, \"a\": 2}|Duplicate",
                "[]|expected an object, found an array",
                "3|expected an object, found 3",
                "null|expected an object, found null"
            })
    void notAJsonObject(String json, String part) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        FailedLoad.of(
                folder, CheckpointException.class, folder.resolve("config.json").toString(), part);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model_type",
                "vocab_size",
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "num_attention_heads",
                "max_position_embeddings",
                "kv_lora_rank",
                "qk_nope_head_dim",
                "qk_rope_head_dim",
                "v_head_dim",
                "moe_intermediate_size",
                "num_experts_per_tok"
            })
    void missingKey(String key) {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        model.config.remove(key);
        String expected = key.equals("model_type") ? "expected a string" : "expected an integer";
        fails(model, CheckpointException.class, key + ": " + expected + ", found no such key");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vocab_size",
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "num_attention_heads",
                "max_position_embeddings",
                "kv_lora_rank",
                "qk_nope_head_dim",
                "qk_rope_head_dim",
                "v_head_dim",
                "q_lora_rank",
                "moe_intermediate_size",
                "n_routed_experts",
                "num_experts_per_tok",
                "n_group",
                "topk_group",
                "moe_layer_freq"
            })
    void illTypedOrAbsurdSize(String key) {
        for (Object value : List.of("many", 2.5, true, List.of(3L), Map.of(), 0L, -1L, -(1L << 31), 1L << 31)) {
            TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
            model.config.put(key, value);
            fails(model, CheckpointException.class, key + ": expected a", "found ");
        }
        TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
        model.config.put(key, new BigInteger("123456789012345678901234567890"));
        fails(model, CheckpointException.class, key + ": expected an integer of 32 bits, found 123456789012345678901");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vocab_size",
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "num_attention_heads",
                "kv_lora_rank",
                "qk_nope_head_dim",
                "qk_rope_head_dim",
                "v_head_dim",
                "q_lora_rank",
                "moe_intermediate_size",
                "n_routed_experts",
                "n_shared_experts",
                "num_experts_per_tok",
                "n_group",
                "topk_group",
                "num_nextn_predict_layers"
            })
    void aSizeOfABillion(String key) {
        TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
        model.config.put(key, 1_000_000_000L);
        fails(model, CheckpointException.class, key + ": expected a number from ", "found 1000000000");
    }

    static Stream<Arguments> contradictions() {
        return Stream.of(
                arguments("n_group", 3L, "n_routed_experts: expected a multiple of n_group = 3, found 8"),
                arguments("topk_group", 5L, "topk_group: expected at most n_group = 4, found 5"),
                arguments(
                        "num_experts_per_tok",
                        9L,
                        "num_experts_per_tok: expected at most n_routed_experts = 8, found 9"),
                arguments("num_experts_per_tok", 5L, "num_experts_per_tok: expected at most the 4 experts"),
                arguments("qk_rope_head_dim", 15L, "qk_rope_head_dim: expected an even number"),
                arguments("num_attention_heads", 6L, "q_b_proj.weight: expected (240, 56)"),
                arguments("v_head_dim", 41L, "kv_b_proj.weight: expected (325, 48)"),
                arguments("kv_lora_rank", 49L, "kv_a_proj_with_mqa.weight: expected (65, 160)"),
                arguments("q_lora_rank", 57L, "q_a_proj.weight: expected (57, 160)"),
                arguments("q_lora_rank", null, "q_proj.weight: expected a tensor"),
                arguments("vocab_size", 312L, "embed_tokens.weight: expected (312, 160) = (vocab_size, hidden_size)"),
                arguments("hidden_size", 161L, "embed_tokens.weight: expected (311, 161)"),
                arguments("intermediate_size", 233L, "gate_proj.weight: expected (233, 160)"),
                arguments("moe_intermediate_size", 73L, "gate_proj.weight: expected (73, 160)"),
                arguments("n_routed_experts", 12L, "mlp.experts.8.gate_proj.weight: expected a tensor"),
                arguments("n_shared_experts", 2L, "shared_experts.gate_proj.weight: expected (144, 160)"),
                arguments("n_shared_experts", 0L, "tensors belong to no part of this model"),
                arguments("first_k_dense_replace", 2L, "layers.1.mlp.gate_proj.weight: expected a tensor"),
                arguments("num_hidden_layers", 4L, "model.layers.3.input_layernorm.weight: expected a tensor"),
                arguments("num_hidden_layers", 2L, "tensors belong to no part of this model"),
                arguments("attention_bias", true, "q_a_proj.bias: expected a tensor"),
                arguments(
                        "mlp_layer_types", List.of("dense"), "mlp_layer_types: expected num_hidden_layers = 3 entries"),
                arguments("rms_norm_eps", -1e-6, "rms_norm_eps: expected a positive number"),
                arguments("rms_norm_eps", "1e-6", "rms_norm_eps: expected a finite number, found \"1e-6\""),
                arguments("rope_theta", 0L, "rope_theta: expected a positive number"),
                arguments("rope_theta", 1L, "rope_theta: expected more than 1"),
                arguments("routed_scaling_factor", 0L, "routed_scaling_factor: expected a positive number"),
                arguments("norm_topk_prob", "no", "norm_topk_prob: expected true or false, found \"no\""),
                arguments("tie_word_embeddings", 1L, "tie_word_embeddings: expected true or false, found 1"),
                arguments("attention_bias", "x", "attention_bias: expected true or false"),
                arguments("hidden_act", 1L, "hidden_act: expected a string"),
                arguments("rope_scaling", "yarn", "rope_scaling: expected an object, found \"yarn\""),
                arguments("rope_parameters", 3L, "rope_parameters: expected an object, found 3"),
                arguments("text_config", 3L, "text_config: expected an object, found 3"),
                arguments("quantization_config", "fp8", "quantization_config: expected an object"),
                arguments("eos_token_id", "end", "eos_token_id: expected a token id or a list of them, found end"),
                arguments("bos_token_id", -1L, "bos_token_id: expected a token id"));
    }

    @ParameterizedTest
    @MethodSource("contradictions")
    void contradiction(String key, Object value, String part) {
        TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
        model.config.put(key, value);
        fails(model, CheckpointException.class, part);
    }

    static Stream<Arguments> badScalings() {
        return Stream.of(
                arguments("factor", null, "rope_scaling: factor: expected a number, found null"),
                arguments("factor", 0L, "rope_scaling: factor: expected a positive number"),
                arguments("beta_fast", "x", "rope_scaling: beta_fast: expected a finite number"),
                arguments("beta_slow", -1L, "rope_scaling: beta_slow: expected a positive number"),
                arguments("mscale", List.of(), "rope_scaling: mscale: expected a finite number"),
                arguments("mscale_all_dim", true, "rope_scaling: mscale_all_dim: expected a finite number"),
                arguments("original_max_position_embeddings", 0L, "original_max_position_embeddings: expected"),
                arguments("original_max_position_embeddings", -4096L, "original_max_position_embeddings: expected"));
    }

    @ParameterizedTest
    @MethodSource("badScalings")
    void badScaling(String key, Object value, String part) {
        TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
        model.object("rope_scaling").put(key, value);
        fails(model, CheckpointException.class, part);
    }

    static Stream<Arguments> unsupported() {
        return Stream.of(
                arguments("model_type", "llama", List.of("deepseek_v2, deepseek_v3, kimi_k2", "found \"llama\"")),
                arguments("model_type", "deepseek_v32", List.of("deepseek_v2", "found \"deepseek_v32\"")),
                arguments("hidden_act", "gelu", List.of("hidden_act: this version supports silu, found gelu")),
                arguments("scoring_func", "sqrtsoftplus", List.of("scoring_func", "softmax, sigmoid", "sqrtsoftplus")),
                arguments("scoring_func", "sigmoid", List.of("group_limited_greedy: expected scoring_func softmax")),
                arguments("topk_method", "best", List.of("greedy, group_limited_greedy, noaux_tc", "\"best\"")),
                arguments("rope_interleave", false, List.of("rope_interleave")),
                arguments("mlp_layer_types", List.of("dense", "dense", "swin"), List.of("mlp_layer_types", "swin")),
                arguments("rope_scaling", Map.of("type", "linear", "factor", 2L), List.of("rope_type", "\"linear\"")),
                arguments(
                        "rope_parameters",
                        Map.of("rope_type", "longrope", "factor", 2L),
                        List.of("\"longrope\"", "\"yarn\"")),
                arguments("quantization_config", Map.of("quant_method", "awq"), List.of("quant_method", "fp8", "awq")),
                arguments(
                        "quantization_config",
                        Map.of("quant_method", "fp8", "fmt", "e5m2"),
                        List.of("quant_method", "e4m3", "e5m2")));
    }

    @ParameterizedTest
    @MethodSource("unsupported")
    void unsupported(String key, Object value, List<String> parts) {
        TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
        model.config.put(key, value);
        List<String> all = new ArrayList<>(parts);
        all.add("config.json");
        fails(model, UnsupportedModelException.class, all.toArray(String[]::new));
    }

    static Stream<Arguments> badBlocks() {
        return Stream.of(
                arguments(List.of(128L), "found [128]"),
                arguments(List.of(128L, 0L), "found [128, 0]"),
                arguments(List.of(128L, -128L), "found [128, -128]"),
                arguments(List.of(128L, "128"), "expected two positive numbers"),
                arguments(List.of(1L << 40, 128L), "expected two positive numbers"),
                arguments(128L, "expected an array, found 128"),
                arguments(null, "expected an array, found null"),
                arguments(List.of(64L, 128L), "weight_scale_inv: expected ("));
    }

    @ParameterizedTest
    @MethodSource("badBlocks")
    void badBlockSize(Object value, String part) {
        TestCheckpoint model = TestCheckpoint.golden("v3-fp8");
        model.object("quantization_config").put("weight_block_size", value);
        fails(model, CheckpointException.class, part);
    }

    @Test
    void nestedConfigsAreNamed() {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        Map<String, Object> text = Map.of("model_type", "qwen3", "hidden_size", 5L);
        model.config.put("model_type", "some_vl");
        model.config.put("text_config", text);
        fails(model, UnsupportedModelException.class, "qwen3", "text_config of some_vl", "deepseek_v3");
        model.config.put("text_config", Map.of("model_type", "deepseek_v3"));
        fails(model, CheckpointException.class, "config.json: text_config: hidden_size: expected an integer");
    }

    @Test
    void optionsOutOfRange() {
        LoadOptions options = LoadOptions.defaults();
        refuses("threads: expected 0 ", () -> options.withThreads(-1));
        refuses("threads: expected 0 ", () -> options.withThreads(1_000_000));
        refuses("contextLength: expected 0 ", () -> options.withContextLength(-1));
        Path model = TestCheckpoint.folder("v2-lite");
        FailedLoad.of(
                model,
                () -> Llm.load(model, options.withContextLength(4097)).close(),
                IllegalArgumentException.class,
                "contextLength: expected 1 to 4096",
                "found 4097");
    }

    private static void refuses(String part, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(part), message);
    }

    private void fails(TestCheckpoint model, Class<? extends Exception> type, String... parts) {
        FailedLoad.of(model.write(folder.resolve("model"), 1), type, parts);
    }
}
