package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.remora.core.kernel.VectorSupport;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernels against their scalar twins, bit for bit. Without vector units there is nothing to compare. */
@Tag("widths")
class Fp8KernelsTest {
    private static final int TILE = 64;

    @BeforeAll
    static void vectors() {
        assumeTrue(VectorSupport.VECTOR, VectorSupport::reason);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 8, 12, 16, 60, 64, 100, 128})
    void aRunHasTheBitsOfItsTwin(int count) {
        Random random = new Random(count);
        int cols = count + 12;
        long groupBytes = 16L * cols;
        MemorySegment tiles = MemorySegment.ofArray(Fp8Fixture.codes(random, 2 * TILE * cols));
        float[] x = floats(random, cols + 7);
        for (int i = 0; i < count; i += 5) {
            x[i] = 0;
        }
        for (int tile = 0; tile < 2; tile++) {
            long from = (long) tile * TILE * cols + 64L * tile;
            float[] expected = new float[TILE];
            Fp8Reference.multiplyRunCarefully(tiles, from, groupBytes, count, x, tile, expected);
            float[] actual = new float[TILE];
            Fp8Kernels.multiplyRunCarefully(tiles, from, groupBytes, count, x, tile, actual);
            assertArrayEquals(bits(expected), bits(actual), "careful");
            float[] scaled = new float[128];
            assertTrue(Fp8Kernels.scale(x, tile, count, scaled, 0));
            Fp8Reference.multiplyRun(tiles, from, groupBytes, count, scaled, 0, actual);
            assertArrayEquals(bits(expected), bits(actual), "quick twin");
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "0, 5", "1, 2", "1, 4", "4, 5"})
    void runsTimesFewRowsHaveTheBitsOfEachAlone(int first, int end) {
        int[] runs = {0, 128, 132, 232, 240, 368};
        int cols = runs[runs.length - 1];
        Random random = new Random(first + end);
        MemorySegment tiles = MemorySegment.ofArray(Fp8Fixture.codes(random, TILE * (cols + 16)));
        float[] x = floats(random, 4 * cols);
        float[] scaled = new float[x.length];
        assertTrue(Fp8Kernels.scale(x, 0, x.length, scaled, 0));
        for (int n = 1; n <= Fp8RowsKernels.ROWS; n++) {
            float[] actual = new float[4 * (end - first) * TILE];
            if (n == 1) {
                Fp8Kernels.multiplyRuns(tiles, 64, 16L * cols, runs, first, end, scaled, actual);
            } else {
                Fp8RowsKernels.multiplyRuns(tiles, 64, 16L * cols, runs, first, end, scaled, n, actual);
            }
            for (int row = 0; row < n; row++) {
                for (int run = first; run < end; run++) {
                    float[] expected = new float[TILE];
                    long from = 64 + Fp8Layout.wordOffset(runs[run]);
                    int count = runs[run + 1] - runs[run];
                    Fp8Reference.multiplyRunCarefully(
                            tiles, from, 16L * cols, count, x, row * cols + runs[run], expected);
                    int at = TILE * (row * (end - first) + run - first);
                    assertArrayEquals(bits(expected), bits(Arrays.copyOfRange(actual, at, at + TILE)), n + " rows");
                }
            }
        }
    }

    /** The fused chains in order, so a sum that is exact in f32 in every order is not enough: large terms cancel. */
    @Test
    void cancellationHasTheBitsOfItsTwin() {
        Random random = new Random(3);
        int cols = 128;
        MemorySegment tiles = MemorySegment.ofArray(Fp8Fixture.codes(random, TILE * cols));
        for (int exponent : new int[] {15, 35}) {
            float[] x = floats(random, cols);
            for (int i = 0; i < cols; i++) {
                x[i] *= (float) Math.pow(10, random.nextInt(2 * exponent) - exponent);
            }
            float[] expected = new float[TILE];
            float[] actual = new float[TILE];
            Fp8Reference.multiplyRunCarefully(tiles, 0, 16L * cols, cols, x, 0, expected);
            Fp8Kernels.multiplyRunCarefully(tiles, 0, 16L * cols, cols, x, 0, actual);
            assertArrayEquals(bits(expected), bits(actual));
            float[] scaled = new float[cols];
            boolean inRange = Fp8Kernels.scale(x, 0, cols, scaled, 0);
            assertEquals(exponent == 15, inRange);
            if (inRange) {
                Fp8Kernels.multiplyRuns(tiles, 0, 16L * cols, new int[] {0, cols}, 0, 1, scaled, actual);
                assertArrayEquals(bits(expected), bits(actual));
            }
        }
    }

    @Test
    void onlyInputsThatStayExactAreScaled() {
        float[] good = {0f, -0f, 0x1p-60f, -0x1p-60f, 1f, Math.nextDown(0x1p62f), -Math.nextDown(0x1p62f)};
        float[] bad = {
            Float.NaN,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            0x1p62f,
            -0x1p62f,
            Float.MAX_VALUE,
            Math.nextDown(0x1p-60f),
            -Math.nextDown(0x1p-60f),
            Float.MIN_VALUE,
        };
        for (int count : new int[] {4, 20, 128}) {
            for (int at = 0; at < count; at++) {
                for (float value : good) {
                    assertScale(true, value, at, count);
                }
                for (float value : bad) {
                    assertScale(false, value, at, count);
                }
            }
        }
    }

    private static void assertScale(boolean inRange, float value, int at, int count) {
        float[] x = floats(new Random(at), count + 3);
        x[3 + at] = value;
        float[] expected = new float[128];
        float[] actual = new float[128];
        assertEquals(inRange, Fp8Reference.scale(x, 3, count, expected, 0), "twin of " + value);
        assertEquals(inRange, Fp8Kernels.scale(x, 3, count, actual, 0), () -> value + " at " + at + " of " + count);
        assertArrayEquals(expected, actual);
    }

    @Test
    void sumsAreScaledAsTheirTwins() {
        Random random = new Random(8);
        float[] sums = floats(random, 3 * TILE + 2);
        float[] factors = floats(random, 3 * TILE + 1);
        for (int lanes : new int[] {1, TILE}) {
            float[] expected = floats(random, TILE + 9);
            float[] actual = expected.clone();
            Fp8Reference.addScaled(sums, 2, 3, segment(factors), 4, lanes, expected, 5);
            Fp8Kernels.addScaled(sums, 2, 3, segment(factors), 4, lanes, actual, 5);
            assertArrayEquals(bits(expected), bits(actual));
        }
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
            Fp8Reference.decodePanelCarefully(tiles, tileAt, 16L * cols, from, count, expected);
            Fp8Kernels.decodePanelCarefully(tiles, tileAt, 16L * cols, from, count, actual);
            assertArrayEquals(bits(expected), bits(actual), count + " columns from " + from);
            if (from % 4 == 0 && count % 4 == 0) {
                Arrays.fill(actual, 0, count * TILE, Float.NaN);
                Fp8Kernels.decodePanel(tiles, tileAt + Fp8Layout.wordOffset(from), 16L * cols, count, actual);
                assertArrayEquals(bits(expected), bits(actual), count + " columns from " + from);
            }
        }
    }

    @Test
    void panelsDecodeEveryNumberExactly() {
        for (int shift = 0; shift < 4; shift++) {
            MemorySegment tile = everyCode(shift);
            float[] panel = new float[128 * TILE];
            Fp8Kernels.decodePanel(tile, 0, 64, 4, panel);
            assertEveryCode(shift, 0, panel);
            // One panel of a whole word, and some that start within a word.
            for (int from = 0; from < 4; from++) {
                Arrays.fill(panel, Float.NaN);
                Fp8Kernels.decodePanelCarefully(tile, 0, 64, from, 4 - from, panel);
                assertEveryCode(shift, from, panel);
            }
        }
    }

    private static void assertEveryCode(int shift, int from, float[] panel) {
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

    @Test
    void runsDecodeEveryNumberExactly() {
        for (int shift = 0; shift < 4; shift++) {
            MemorySegment tile = everyCode(shift);
            for (int col = 0; col < 4; col++) {
                for (float power : new float[] {1f, 0x1p-60f, 0x1p61f, 0x1p-100f}) {
                    float[] x = new float[4];
                    // A power of two keeps the product exact; -0 becomes 0 when it is added to the sum.
                    x[col] = power;
                    float[] sums = new float[TILE];
                    Fp8Kernels.multiplyRunCarefully(tile, 0, 64, 4, x, 0, sums);
                    assertProducts(shift, col, power, sums);
                    float[] scaled = new float[4];
                    if (Fp8Kernels.scale(x, 0, 4, scaled, 0)) {
                        Fp8Kernels.multiplyRuns(tile, 0, 64, new int[] {0, 4}, 0, 1, scaled, sums);
                        assertProducts(shift, col, power, sums);
                    }
                }
            }
        }
    }

    private static void assertProducts(int shift, int col, float power, float[] sums) {
        for (int lane = 0; lane < TILE; lane++) {
            float expected = E4m3.toFloat((byte) code(lane, col, shift)) * power + 0f;
            assertEquals(expected, sums[lane], "code " + code(lane, col, shift));
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
