package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.models.TestCheckpoint.Stored;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** FP8 in blocks of any size, against the same numbers in F32, decoded here by the definition of the format. */
@Tag("widths")
class Fp8VariantsTest {
    private static final String SCALES = "_scale_inv";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"128, 128", "64, 128", "128, 64", "32, 96", "100, 60", "1, 128", "128, 1", "7, 13", "4096, 4096"})
    void blocksOfAnySize(int rows, int cols) {
        TestCheckpoint fp8 = TestCheckpoint.golden("v3-fp8");
        scaleBlocks(fp8, rows, cols);
        assertClose(fp8, decoded(fp8, name -> true));
    }

    @ParameterizedTest
    @CsvSource({"128, 128", "100, 60", "48, 128"})
    void fusedExpertsWhoseBlocksReachFromGateIntoUp(int rows, int cols) {
        TestCheckpoint fp8 = TestCheckpoint.golden("v3-fp8");
        fp8.fuseExperts();
        scaleBlocks(fp8, rows, cols);
        assertClose(fp8, decoded(fp8, name -> true));
    }

    @Test
    void fusedExpertsOfWholeBlocksGiveTheBitsOfSingleOnes() {
        TestCheckpoint single = TestCheckpoint.golden("v3-fp8");
        scaleBlocks(single, 136, 128);
        List<float[]> expected = Logits.of(single.write(folder.resolve("single"), 1), ids());
        single.fuseExperts();
        List<float[]> actual = Logits.of(single.write(folder.resolve("fused"), 1), ids());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "logits of row " + row);
        }
    }

    @Test
    void formatsMayDifferFromTensorToTensor() {
        TestCheckpoint fp8 = TestCheckpoint.golden("v3-fp8");
        TestCheckpoint mixed = decoded(fp8, name -> Math.floorMod(name.hashCode(), 2) == 0);
        mixed.config.put("quantization_config", fp8.config.get("quantization_config"));
        assertTrue(mixed.tensors.values().stream().anyMatch(t -> t.dtype == DType.F8_E4M3));
        assertClose(mixed, decoded(fp8, name -> true));
    }

    @Test
    void embeddingHeadAndGateMayBeFp8Too() {
        TestCheckpoint fp8 = TestCheckpoint.golden("v3-fp8");
        Random random = new Random(11);
        for (String name : List.of("model.embed_tokens.weight", "model.layers.3.mlp.gate.weight")) {
            byte[] codes = new byte[fp8.tensor(name).dim(0) * fp8.tensor(name).dim(1)];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = (byte) (random.nextInt(0x7f) | random.nextInt(2) << 7);
            }
            fp8.tensors.put(name, new Stored(DType.F8_E4M3, codes, fp8.tensor(name).shape));
        }
        fp8.config.put("tie_word_embeddings", true);
        fp8.tensors.remove("lm_head.weight");
        scaleBlocks(fp8, 96, 80);
        assertClose(fp8, decoded(fp8, name -> true));
    }

    @Test
    void scalesMayBeBf16() {
        TestCheckpoint single = TestCheckpoint.golden("v3-fp8");
        scaleBlocks(single, 128, 128);
        // A random scale has more bits than BF16 holds: both files get the rounded one.
        single.replace(n -> n.endsWith(SCALES) ? single.converted(n, DType.BF16) : single.tensor(n));
        List<float[]> actual = Logits.of(single.write(folder.resolve("bf16"), 1), ids());
        single.replace(n -> n.endsWith(SCALES) ? single.converted(n, DType.F32) : single.tensor(n));
        List<float[]> expected = Logits.of(single.write(folder.resolve("f32"), 1), ids());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "logits of row " + row);
        }
    }

    /** Keeps the codes and gives every block a scale of its own, about as large as the golden's. */
    static void scaleBlocks(TestCheckpoint fp8, int blockRows, int blockCols) {
        fp8.object("quantization_config").put("weight_block_size", List.of((long) blockRows, (long) blockCols));
        Random random = new Random(7);
        for (String name : List.copyOf(fp8.tensors.keySet())) {
            Stored codes = fp8.tensor(name);
            if (codes.dtype != DType.F8_E4M3) {
                continue;
            }
            boolean stack = codes.shape.length == 3;
            int rows = codes.dim(stack ? 1 : 0);
            int cols = codes.dim(stack ? 2 : 1);
            int down = Math.ceilDiv(rows, blockRows);
            int across = Math.ceilDiv(cols, blockCols);
            int count = stack ? codes.dim(0) : 1;
            float[] scales = new float[count * down * across];
            double usual = 1 / (300 * Math.sqrt(cols));
            for (int i = 0; i < scales.length; i++) {
                scales[i] = (float) (usual * (0.5 + random.nextDouble()));
            }
            long[] shape = stack ? new long[] {count, down, across} : new long[] {down, across};
            fp8.store(name + SCALES, DType.F32, scales, shape);
        }
    }

    /** The checkpoint with the FP8 tensors that are {@code chosen} in F32. */
    static TestCheckpoint decoded(TestCheckpoint fp8, Predicate<String> chosen) {
        TestCheckpoint f32 = TestCheckpoint.golden("v3-fp8");
        f32.config.clear();
        f32.config.putAll(fp8.config);
        Map<String, Object> quantization = fp8.object("quantization_config");
        f32.config.remove("quantization_config");
        List<?> block = (List<?>) quantization.get("weight_block_size");
        int blockRows = ((Long) block.get(0)).intValue();
        int blockCols = ((Long) block.get(1)).intValue();
        f32.tensors.clear();
        f32.tensors.putAll(fp8.tensors);
        for (String name : fp8.tensors.keySet()) {
            Stored codes = fp8.tensor(name);
            if (codes.dtype != DType.F8_E4M3 || !chosen.test(name)) {
                continue;
            }
            boolean stack = codes.shape.length == 3;
            int rows = codes.dim(stack ? 1 : 0);
            int cols = codes.dim(stack ? 2 : 1);
            int down = Math.ceilDiv(rows, blockRows);
            int across = Math.ceilDiv(cols, blockCols);
            float[] scales = fp8.floats(name + SCALES);
            float[] values = new float[codes.bytes.length];
            for (int i = 0; i < values.length; i++) {
                int matrix = i / (rows * cols);
                int row = i / cols % rows;
                int col = i % cols;
                values[i] =
                        number(codes.bytes[i]) * scales[(matrix * down + row / blockRows) * across + col / blockCols];
            }
            f32.tensors.remove(name + SCALES);
            f32.store(name, DType.F32, values, codes.shape);
        }
        return f32;
    }

    /** Sign, 4 bits of exponent with bias 7, 3 bits of fraction; exponent 0: fractions of 2^-6. */
    private static float number(byte code) {
        int exponent = code >> 3 & 15;
        double fraction = (code & 7) / 8.0;
        double magnitude = exponent == 0 ? fraction * 0x1p-6 : (1 + fraction) * Math.pow(2, exponent - 7);
        return (float) (code < 0 ? -magnitude : magnitude);
    }

    private void assertClose(TestCheckpoint actual, TestCheckpoint expected) {
        double difference = Logits.difference(
                Logits.of(expected.write(folder.resolve("expected"), 1), ids()),
                Logits.of(actual.write(folder.resolve("actual"), 1), ids()));
        assertTrue(difference <= Logits.TOLERANCE, "differs by " + difference + " of the largest logit");
    }

    private static int[] ids() {
        return Logits.ints(CheckpointSource.ofFolder(TestCheckpoint.folder("v3-fp8")), "input_ids");
    }
}
