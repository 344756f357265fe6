package dev.remora.models;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.DType;
import dev.remora.models.TestCheckpoint.Stored;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every damage to the weights has its message, which names the tensor and the file. */
class BadWeightsTest {
    private static final String REVISION = "Are config.json and the weights from the same revision?";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model.embed_tokens.weight",
                "model.norm.weight",
                "lm_head.weight",
                "model.layers.0.mlp.up_proj.weight",
                "model.layers.1.input_layernorm.weight",
                "model.layers.1.self_attn.kv_b_proj.weight",
                "model.layers.1.self_attn.q_a_layernorm.weight",
                "model.layers.3.mlp.gate.weight",
                "model.layers.3.mlp.gate.e_score_correction_bias",
                "model.layers.3.mlp.shared_experts.down_proj.weight",
                "model.layers.3.mlp.experts.7.down_proj.weight"
            })
    void missingOrMisshapenTensor(String name) {
        TestCheckpoint missing = TestCheckpoint.golden("v3-fp8");
        missing.tensors.remove(name);
        missing.tensors.remove(name + "_scale_inv");
        fails(missing, 1, name + ": expected a tensor (", "found none in ", "model.safetensors", REVISION);

        TestCheckpoint misshapen = TestCheckpoint.golden("v3-fp8");
        misshapen.store(name, DType.F32, new float[21], 7, 3);
        fails(misshapen, 3, name + ": expected (", "found (7, 3) in ", "-of-00003.safetensors", REVISION);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model.layers.0.self_attn.q_proj.bias",
                "model.layers.3.self_attn.stranger.weight",
                "model.layers.5.input_layernorm.weight",
                "model.layers.x.norm.weight",
                "model.visual.patch.weight",
                "score.weight"
            })
    void extraTensor(String name) {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        model.store(name, DType.F32, new float[2], 2);
        fails(model, 1, "1 tensors belong to no part of this model, for example " + name, REVISION);
    }

    @Test
    void bothLayoutsOfExperts() {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        TestCheckpoint fused = TestCheckpoint.golden("v2-lite");
        fused.fuseExperts();
        model.tensors.putAll(fused.tensors);
        fails(model, 1, "72 tensors belong to no part of this model", "mlp.experts.0.");
    }

    @Test
    void misshapenStackOfExperts() {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        model.fuseExperts();
        model.store("model.layers.1.mlp.experts.gate_up_proj", DType.BF16, new float[12 * 72 * 160], 12, 72, 160);
        fails(
                model,
                1,
                "model.layers.1.mlp.experts.gate_up_proj: expected (12, 144, 160)",
                "(n_routed_experts, 2 * moe_intermediate_size, hidden_size)",
                "found (12, 72, 160)");
    }

    @ParameterizedTest
    @CsvSource({"0, at least", "7, at least", "500, header length", "400000, truncated"})
    void truncatedFile(int bytes, String part) {
        Path model = TestCheckpoint.golden("v2-lite").write(folder.resolve("model"), 1);
        TestCheckpoint.cut(model, "model.safetensors", bytes);
        FailedLoad.of(model, CheckpointException.class, "model.safetensors: ", part, "download it again");
    }

    @Test
    void missingShard() throws IOException {
        Path model = TestCheckpoint.golden("v2-lite").write(folder.resolve("model"), 3);
        Files.delete(model.resolve("model-00002-of-00003.safetensors"));
        FailedLoad.of(
                model,
                CheckpointException.class,
                "model.safetensors.index.json: expected 3 shards beside it, found 2",
                "model-00002-of-00003.safetensors",
                "Download the missing files");
    }

    @Test
    void noWeights() throws IOException {
        Path model = TestCheckpoint.golden("v2-lite").write(folder.resolve("model"), 1);
        Files.move(model.resolve("model.safetensors"), model.resolve("pytorch_model.bin"));
        FailedLoad.of(model, CheckpointException.class, "expected model.safetensors or", "found config.json");
    }

    @Test
    void unknownDtype() throws IOException {
        byte[] header = "{\"model.norm.weight\":{\"dtype\":\"F4\",\"shape\":[8],\"data_offsets\":[0,4]}}"
                .getBytes(StandardCharsets.UTF_8);
        Path model = TestCheckpoint.golden("v2-lite").write(folder.resolve("model"), 1);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(
                model.resolve("model.safetensors"),
                file.putLong(header.length).put(header).array());
        FailedLoad.of(
                model,
                CheckpointException.class,
                "model.safetensors: tensor model.norm.weight: dtype: expected one of",
                "found \"F4\"");
    }

    @ParameterizedTest
    @CsvSource({
        "model.layers.1.mlp.experts.3.up_proj.weight, I8, 'expected F32, BF16, F16 or F8_E4M3, found I8'",
        "model.layers.1.self_attn.o_proj.weight, F8_E5M2, 'expected F32, BF16, F16 or F8_E4M3, found F8_E5M2'",
        "model.embed_tokens.weight, I32, 'expected F32, BF16, F16 or F8_E4M3, found I32'",
        "model.norm.weight, F8_E4M3, 'expected F32, BF16 or F16, found F8_E4M3'",
        "model.layers.2.self_attn.kv_a_layernorm.weight, F64, 'expected F32, BF16 or F16, found F64'"
    })
    void dtypeThatIsNoWeight(String name, DType dtype, String part) {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        long[] shape = model.tensor(name).shape;
        int elements = model.tensor(name).bytes.length / 2;
        model.tensors.put(name, new Stored(dtype, new byte[elements * dtype.byteSize()], shape));
        fails(model, 1, name + ": " + part, "model.safetensors", "convert");
    }

    @Test
    void fp8WithoutScales() {
        TestCheckpoint model = TestCheckpoint.golden("v3-fp8");
        model.tensors.remove("model.layers.2.mlp.experts.5.up_proj.weight_scale_inv");
        fails(
                model,
                1,
                "model.layers.2.mlp.experts.5.up_proj.weight: is stored as F8_E4M3",
                "needs model.layers.2.mlp.experts.5.up_proj.weight_scale_inv",
                "found no such tensor",
                "Download the checkpoint again");
    }

    @Test
    void fp8WithoutBlockSize() {
        TestCheckpoint model = TestCheckpoint.golden("v3-fp8");
        model.config.remove("quantization_config");
        fails(
                model,
                1,
                "model.layers.0.self_attn.q_a_proj.weight: is stored as F8_E4M3",
                "quantization_config.weight_block_size",
                REVISION);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void scaleThatIsNoNumber(float bad) {
        for (String name : List.of(
                "model.layers.2.self_attn.kv_b_proj.weight_scale_inv",
                "model.layers.3.mlp.experts.2.down_proj.weight_scale_inv")) {
            TestCheckpoint model = TestCheckpoint.golden("v3-fp8");
            float[] scales = model.floats(name);
            scales[3] = bad;
            model.store(name, DType.F32, scales, model.tensor(name).shape);
            fails(model, 1, name + ": expected finite scales, found " + bad + " for block (1, 1)", "damaged");
        }
    }

    static Stream<Arguments> fp8Matrices() {
        return Stream.of("0x7F", "0xFF")
                .flatMap(code -> Stream.of(
                        arguments("model.layers.0.self_attn.q_a_proj.weight", code),
                        arguments("model.layers.1.self_attn.q_b_proj.weight", code),
                        arguments("model.layers.1.self_attn.kv_a_proj_with_mqa.weight", code),
                        arguments("model.layers.2.self_attn.kv_b_proj.weight", code),
                        arguments("model.layers.3.self_attn.o_proj.weight", code),
                        arguments("model.layers.0.mlp.gate_proj.weight", code),
                        arguments("model.layers.1.mlp.down_proj.weight", code),
                        arguments("model.layers.2.mlp.shared_experts.up_proj.weight", code),
                        arguments("model.layers.3.mlp.experts.7.down_proj.weight", code),
                        arguments("model.embed_tokens.weight", code),
                        arguments("lm_head.weight", code)));
    }

    /** At the first element, at the last, and in a row of every head's keys and values. */
    @ParameterizedTest
    @MethodSource("fp8Matrices")
    void fp8CodeThatIsNoNumber(String name, String code) {
        TestCheckpoint sound = TestCheckpoint.golden("v3-fp8");
        int rows = sound.tensor(name).dim(0);
        int cols = sound.tensor(name).dim(1);
        if (sound.tensor(name).dtype != DType.F8_E4M3) {
            sound.tensors.put(name, new Stored(DType.F8_E4M3, new byte[rows * cols], rows, cols));
            int blocks = Math.ceilDiv(rows, 128) * Math.ceilDiv(cols, 128);
            sound.store(
                    name + "_scale_inv",
                    DType.F32,
                    new float[blocks],
                    Math.ceilDiv(rows, 128),
                    Math.ceilDiv(cols, 128));
        }
        byte[] codes = sound.tensor(name).bytes;
        for (int row : List.of(0, 70, rows / 2 + 5, rows - 1)) {
            int at = row * cols + (row == 0 ? 0 : row == rows - 1 ? cols - 1 : cols / 2 + 3);
            byte before = codes[at];
            codes[at] = Integer.decode(code).byteValue();
            fails(
                    sound,
                    1,
                    name + ": expected FP8 numbers, found a NaN code (0x7F or 0xFF) in row " + row + ", column",
                    "damaged");
            codes[at] = before;
        }
    }

    @Test
    void fp8CodeThatIsNoNumberInAStack() {
        TestCheckpoint model = TestCheckpoint.golden("v3-fp8");
        model.fuseExperts();
        for (String name : List.copyOf(model.tensors.keySet())) {
            if (name.endsWith("gate_up_proj_scale_inv")) {
                model.store(name, DType.F32, new float[8 * 3 * 3], 8, 3, 3);
            }
        }
        String name = "model.layers.3.mlp.experts.gate_up_proj";
        model.tensor(name).bytes[(5 * 272 + 200) * 320 + 7] = 0x7F;
        fails(model, 1, name + "[5]: expected FP8 numbers", "in row 200, column");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model.embed_tokens.weight",
                "lm_head.weight",
                "model.layers.0.mlp.down_proj.weight",
                "model.layers.1.self_attn.kv_b_proj.weight",
                "model.layers.2.mlp.gate.weight",
                "model.layers.2.mlp.experts.11.gate_proj.weight"
            })
    void f16ThatIsNoNumber(String name) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            TestCheckpoint model = TestCheckpoint.golden("v2-lite");
            float[] values = model.floats(name);
            int rows = model.tensor(name).dim(0);
            int cols = model.tensor(name).dim(1);
            for (int row : List.of(0, rows / 2 + 3, rows - 1)) {
                float[] damaged = values.clone();
                damaged[row * cols + (row == 0 ? 0 : cols - 1)] = bad;
                model.store(name, DType.F16, damaged, rows, cols);
                fails(
                        model,
                        1,
                        name + ": expected finite numbers, found an infinity or NaN in row " + row + ", column");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "model.norm.weight, F32",
        "model.layers.1.input_layernorm.weight, BF16",
        "model.layers.2.self_attn.kv_a_layernorm.weight, F16",
        "model.layers.2.mlp.gate.e_score_correction_bias, F32"
    })
    void vectorThatIsNoNumber(String name, DType dtype) {
        TestCheckpoint model = TestCheckpoint.golden("moonlight");
        float[] values = model.floats(name);
        values[9] = Float.NaN;
        model.store(name, dtype, values, values.length);
        fails(model, 1, name + ": expected finite numbers, found NaN at 9", "damaged");
    }

    private void fails(TestCheckpoint model, int shards, String... parts) {
        Path written = folder.resolve("model-" + shards);
        FailedLoad.of(model.write(written, shards), CheckpointException.class, parts);
    }
}
