package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.remora.core.kernel.VectorSupport;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernels against their scalar twins, bit for bit. Without vector units there is nothing to compare. */
@Tag("widths")
class Fp8KernelsTest {
    private static final int TILE = 64;

    @BeforeAll
    static void vectors() {
        assumeTrue(VectorSupport.VECTOR, VectorSupport::reason);
    }

    static Stream<int[]> runs() {
        return Stream.of(
                new int[] {0, 4},
                new int[] {0, 128},
                new int[] {0, 4, 8, 12},
                new int[] {0, 128, 256, 260},
                new int[] {0, 16, 144, 272, 300},
                new int[] {0, 60, 120, 180, 240, 248},
                new int[] {0, 96, 192, 288, 384, 400},
                IntStream.rangeClosed(0, 12).map(i -> i * 128).toArray());
    }

    @ParameterizedTest
    @MethodSource("runs")
    void aRowHasTheBitsOfItsTwin(int[] runs) {
        int cols = runs[runs.length - 1];
        Random random = new Random(cols);
        MemorySegment tiles = MemorySegment.ofArray(Fp8Fixture.codes(random, 3 * TILE * cols));
        float[] x = floats(random, cols + 7);
        MemorySegment scale = segment(floats(random, (runs.length + 2) * TILE));
        for (int tile = 0; tile < 3; tile++) {
            long tileAt = (long) tile * TILE * cols;
            int offset = 2 * tile + 1;
            float[] expected = floats(new Random(1), TILE + 9);
            float[] actual = expected.clone();
            Fp8Reference.multiplyRow(tiles, tileAt, runs, scale, 4L * offset, x, offset, expected, offset);
            Fp8Kernels.multiplyRow(tiles, tileAt, runs, scale, 4L * offset, x, offset, actual, offset);
            assertArrayEquals(bits(expected), bits(actual));
        }
    }

    /** The fused chains in order, so a sum that is exact in f32 in every order is not enough: large terms cancel. */
    @Test
    void cancellationHasTheBitsOfItsTwin() {
        Random random = new Random(3);
        int cols = 256;
        int[] runs = {0, 128, 256};
        MemorySegment tiles = MemorySegment.ofArray(Fp8Fixture.codes(random, TILE * cols));
        float[] x = floats(random, cols);
        for (int i = 0; i < cols; i++) {
            x[i] *= (float) Math.pow(10, random.nextInt(30) - 15);
        }
        MemorySegment scale = segment(floats(random, 2 * TILE));
        float[] expected = new float[TILE];
        float[] actual = new float[TILE];
        Fp8Reference.multiplyRow(tiles, 0, runs, scale, 0, x, 0, expected, 0);
        Fp8Kernels.multiplyRow(tiles, 0, runs, scale, 0, x, 0, actual, 0);
        assertArrayEquals(bits(expected), bits(actual));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 7, 8, 63, 112, 113, 126})
    void aPanelHasTheBitsOfItsTwin(int from) {
        int cols = 256;
        Random random = new Random(from);
        MemorySegment tiles = MemorySegment.ofArray(Fp8Fixture.codes(random, 2 * TILE * cols));
        for (int count : new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 64, 100, 127, 128}) {
            long tileAt = (long) (count % 2) * TILE * cols;
            float[] expected = floats(new Random(1), 128 * TILE);
            float[] actual = expected.clone();
            Fp8Reference.decodePanel(tiles, tileAt, from, count, expected);
            Fp8Kernels.decodePanel(tiles, tileAt, from, count, actual);
            assertArrayEquals(bits(expected), bits(actual), count + " columns from " + from);
        }
    }

    @Test
    void panelsDecodeEveryNumberExactly() {
        for (int shift = 0; shift < 4; shift++) {
            MemorySegment tile = everyCode(shift);
            // One panel of whole words, and one that starts within a word.
            for (int from = 0; from < 4; from++) {
                float[] panel = new float[128 * TILE];
                Fp8Kernels.decodePanel(tile, 0, from, 4 - from, panel);
                for (int col = from; col < 4; col++) {
                    for (int lane = 0; lane < TILE; lane++) {
                        float expected = E4m3.toFloat((byte) code(lane, col, shift));
                        assertEquals(
                                Float.floatToRawIntBits(expected),
                                Float.floatToRawIntBits(panel[(col - from) * TILE + lane]),
                                "code " + code(lane, col, shift));
                    }
                }
            }
        }
    }

    @Test
    void rowsDecodeEveryNumberExactly() {
        float[] ones = new float[TILE];
        Arrays.fill(ones, 1f);
        MemorySegment scale = segment(ones);
        for (int shift = 0; shift < 4; shift++) {
            MemorySegment tile = everyCode(shift);
            for (int col = 0; col < 4; col++) {
                float[] x = new float[4];
                // A power of two keeps the product exact; -0 becomes 0 when it is added to the sum.
                x[col] = 0x1p-100f;
                float[] y = new float[TILE];
                Fp8Kernels.multiplyRow(tile, 0, new int[] {0, 4}, scale, 0, x, 0, y, 0);
                for (int lane = 0; lane < TILE; lane++) {
                    float expected = E4m3.toFloat((byte) code(lane, col, shift)) * 0x1p-100f + 0f;
                    assertEquals(expected, y[lane], "code " + code(lane, col, shift));
                }
            }
        }
    }

    /** A tile of 4 columns with all codes; over four shifts every code stands in every byte of a word. */
    private static MemorySegment everyCode(int shift) {
        byte[] tile = new byte[4 * TILE];
        for (int lane = 0; lane < TILE; lane++) {
            for (int col = 0; col < 4; col++) {
                tile[4 * lane + col] = (byte) code(lane, col, shift);
            }
        }
        return MemorySegment.ofArray(tile);
    }

    private static int code(int lane, int col, int shift) {
        int code = 4 * lane + (col + shift) % 4;
        return (code & 0x7f) == 0x7f ? 0 : code;
    }

    private static float[] floats(Random random, int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private static MemorySegment segment(float[] values) {
        MemorySegment segment = MemorySegment.ofArray(new byte[4 * values.length]);
        MemorySegment.copy(values, 0, segment, Fp8Weight.FLOAT, 0, values.length);
        return segment;
    }

    private static int[] bits(float[] x) {
        int[] bits = new int[x.length];
        for (int i = 0; i < x.length; i++) {
            bits[i] = Float.floatToRawIntBits(x[i]);
        }
        return bits;
    }
}
