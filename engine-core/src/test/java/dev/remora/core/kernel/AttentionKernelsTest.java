package dev.remora.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.core.Allocation;
import dev.remora.core.TestData;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("widths")
class AttentionKernelsTest {
    private static final int AT = 5;

    @ParameterizedTest
    @ValueSource(ints = {0, 16, 32, 48, 64})
    void narrowEqualsItsTwinAndItsSum(int rows) {
        for (boolean special : new boolean[] {false, true}) {
            float[] panel = values(1, 64 * 16, special);
            float[] x = values(2, rows * 64, special);
            float[] y = values(3, rows * 16, special);
            float[] expected = y.clone();
            AttentionReference.multiplyNarrow(panel, AT, x, AT, rows, expected, AT);
            float[] actual = y.clone();
            Kernels.multiplyNarrow(panel, AT, x, AT, rows, actual, AT);
            assertArrayEquals(expected, actual);
            for (int i = 0; i < rows * 16 && !special; i++) {
                double sum = y[AT + i];
                double magnitude = Math.abs(sum);
                for (int k = 0; k < 64; k++) {
                    double term = (double) x[AT + i / 16 * 64 + k] * panel[AT + k * 16 + i % 16];
                    sum += term;
                    magnitude += Math.abs(term);
                }
                assertEquals(sum, actual[AT + i], 65 * 0x1p-24 * magnitude);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 17, 63, 64, 100})
    void wideEqualsItsTwinAndItsSum(int k) {
        for (int rows = 4; rows <= 16; rows += 4) {
            for (boolean special : new boolean[] {false, true}) {
                float[] panel = values(4, k * 64, special);
                float[] x = values(5, k * 16, special);
                float[] y = values(6, rows * 64, special);
                float[] expected = y.clone();
                AttentionReference.multiplyWide(panel, AT, k, x, AT, rows, expected, AT);
                float[] actual = y.clone();
                Kernels.multiplyWide(panel, AT, k, x, AT, rows, actual, AT);
                assertArrayEquals(expected, actual);
                for (int i = 0; i < rows * 64 && !special; i++) {
                    double sum = y[AT + i];
                    double magnitude = Math.abs(sum);
                    for (int j = 0; j < k; j++) {
                        double term = (double) x[AT + j * 16 + i / 64] * panel[AT + j * 64 + i % 64];
                        sum += term;
                        magnitude += Math.abs(term);
                    }
                    assertEquals(sum, actual[AT + i], (k + 1) * 0x1p-24 * magnitude);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 16, 63, 64})
    void softmaxEqualsItsTwin(int rows) {
        for (boolean special : new boolean[] {false, true}) {
            float[] x = values(7, rows * 16, special);
            float[] state = values(8, 48, special);
            float[] expected = x.clone();
            float[] expectedState = state.clone();
            RowReference.softmaxColumns(expected, AT, rows, expectedState, AT, AT + 16, AT + 32);
            Kernels.softmaxColumns(x, AT, rows, state, AT, AT + 16, AT + 32);
            assertArrayEquals(expected, x);
            assertArrayEquals(expectedState, state);
        }
    }

    /** In two steps of different length, against the formula. */
    @Test
    void softmaxIsOnline() {
        float[] x = TestData.floats(9, 50 * 16);
        float[] weights = x.clone();
        float[] state = new float[48];
        Arrays.fill(state, 0, 16, Float.NEGATIVE_INFINITY);
        Kernels.softmaxColumns(weights, 0, 13, state, 0, 16, 32);
        float[] firstMaxima = Arrays.copyOf(state, 16);
        Kernels.softmaxColumns(weights, 13 * 16, 37, state, 0, 16, 32);
        for (int column = 0; column < 16; column++) {
            float max = Float.NEGATIVE_INFINITY;
            for (int row = 0; row < 50; row++) {
                max = Math.max(max, x[row * 16 + column]);
            }
            double sum = 0;
            for (int row = 0; row < 50; row++) {
                sum += Math.exp(x[row * 16 + column] - (double) max);
            }
            assertEquals(max, state[column]);
            // Fifty positive terms, each within two units in the last place, summed in two chains.
            assertEquals(sum, state[16 + column], sum * 60 * 0x1p-24);
            assertEquals(Math.exp(firstMaxima[column] - (double) max), state[32 + column], 4 * 0x1p-24);
            assertEquals(Math.exp(x[40 * 16 + column] - (double) max), weights[40 * 16 + column], 4 * 0x1p-24);
        }
    }

    @Test
    void nothingOutsideIsWritten() {
        float[] y = TestData.floats(10, 64 * 64 + 2 * AT);
        float[] before = y.clone();
        float[] x = TestData.floats(11, 64 * 64);
        Kernels.multiplyNarrow(x, 0, x, 0, 32, y, AT);
        assertArrayEquals(Arrays.copyOf(before, AT), Arrays.copyOf(y, AT));
        assertArrayEquals(tail(before, AT + 32 * 16), tail(y, AT + 32 * 16));
        y = before.clone();
        Kernels.multiplyWide(x, 0, 9, x, 0, 8, y, AT);
        assertArrayEquals(Arrays.copyOf(before, AT), Arrays.copyOf(y, AT));
        assertArrayEquals(tail(before, AT + 8 * 64), tail(y, AT + 8 * 64));
        y = before.clone();
        Kernels.softmaxColumns(y, AT, 7, new float[48], 0, 16, 32);
        assertArrayEquals(Arrays.copyOf(before, AT), Arrays.copyOf(y, AT));
        assertArrayEquals(tail(before, AT + 7 * 16), tail(y, AT + 7 * 16));
    }

    @Test
    void allocatesNothing() {
        float[] x = TestData.floats(12, 64 * 64);
        float[] y = new float[64 * 64];
        float[] scores = TestData.floats(13, 64 * 16);
        float[] state = new float[48];
        Allocation.assertNone("narrow", () -> Kernels.multiplyNarrow(x, 0, x, 0, 64, y, 0));
        Allocation.assertNone("wide", () -> Kernels.multiplyWide(x, 0, 64, x, 0, 16, y, 0));
        Allocation.assertNone("softmax", () -> Kernels.softmaxColumns(scores, 0, 64, state, 0, 16, 32));
    }

    private static float[] tail(float[] values, int from) {
        return Arrays.copyOfRange(values, from, values.length);
    }

    private static float[] values(long seed, int n, boolean special) {
        return special ? TestData.specials(seed, n + AT) : TestData.floats(seed, n + AT);
    }
}
