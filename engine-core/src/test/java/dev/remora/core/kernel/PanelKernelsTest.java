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
class PanelKernelsTest {
    private static final int GUARD = 5;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 7, 63, 64, 65, 127, 128, 129, 160, 311, 576, 1408})
    void vectorEqualsReference(int k) {
        for (int width : new int[] {16, 32, 48, 64, 80, 512}) {
            Case c = new Case(k, width, width + 16, false);
            assertArrayEquals(c.reference(false), c.kernel(false), "width " + width);
            assertArrayEquals(c.reference(true), c.kernel(true), "scaled, width " + width);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 129})
    void specialValuesPassAlike(int k) {
        for (int width : new int[] {16, 64}) {
            Case c = new Case(k, width, width, true);
            assertArrayEquals(c.reference(false), c.kernel(false), "width " + width);
            assertArrayEquals(c.reference(true), c.kernel(true), "scaled, width " + width);
        }
    }

    @Test
    void isTheSumThatItClaims() {
        Case c = new Case(311, 64, 64, false);
        for (boolean scaled : new boolean[] {false, true}) {
            float[] actual = c.kernel(scaled);
            for (int row = 0; row < 4; row++) {
                for (int col = 0; col < c.width; col++) {
                    double sum = 0;
                    double magnitude = 0;
                    for (int i = 0; i < c.k; i++) {
                        double term = (double) c.panel[GUARD + i * c.stride + col] * c.x[c.xAt[row] + i];
                        sum += term;
                        magnitude += Math.abs(term);
                    }
                    double scale = scaled ? c.scale[GUARD + col] : 1;
                    double start = c.y[c.yAt[row] + col];
                    double bound = (c.k + 3) * 0x1p-24 * (magnitude * Math.abs(scale) + Math.abs(start));
                    assertEquals(start + scale * sum, actual[c.yAt[row] + col], bound, row + ", " + col);
                }
            }
        }
    }

    @Test
    void writesNothingElse() {
        Case c = new Case(9, 48, 64, false);
        for (boolean scaled : new boolean[] {false, true}) {
            float[] actual = c.kernel(scaled);
            for (int i = 0; i < actual.length; i++) {
                boolean inside = false;
                for (int at : c.yAt) {
                    inside |= i >= at && i < at + c.width;
                }
                if (!inside) {
                    assertEquals(c.y[i], actual[i], "index " + i);
                }
            }
        }
    }

    @Test
    void aRepeatedRowIsComputedOnce() {
        Case c = new Case(130, 64, 64, false);
        for (boolean scaled : new boolean[] {false, true}) {
            float[] expected = c.kernel(scaled);
            Arrays.fill(c.xAt, 1, 4, c.xAt[1]);
            Arrays.fill(c.yAt, 1, 4, c.yAt[1]);
            float[] actual = c.kernel(scaled);
            for (int row = 0; row < 2; row++) {
                int at = c.yAt[row];
                assertArrayEquals(
                        Arrays.copyOfRange(expected, at, at + c.width), Arrays.copyOfRange(actual, at, at + c.width));
            }
            c = new Case(130, 64, 64, false);
        }
    }

    @Test
    void allocatesNothing() {
        for (int width : new int[] {64, 80}) {
            Case c = new Case(64, width, width, false);
            Allocation.assertNone("panel", () -> c.run(false, c.y));
            Allocation.assertNone("scaled panel", () -> c.run(true, c.y));
        }
    }

    private static final class Case {
        private final int k;
        private final int width;
        private final int stride;
        private final float[] panel;
        private final float[] scale;
        private final float[] x;
        private final float[] y;
        private final int[] xAt;
        private final int[] yAt;

        Case(int k, int width, int stride, boolean special) {
            this.k = k;
            this.width = width;
            this.stride = stride;
            panel = values(1, GUARD + k * stride + width, special);
            scale = values(2, GUARD + width, special);
            x = values(3, 4 * (k + GUARD) + 1, special);
            y = values(4, 4 * (width + GUARD) + GUARD, special);
            // In no order and without alignment, as rows of expert groups are.
            xAt = new int[] {2 * (k + GUARD), 1, 3 * (k + GUARD), k + GUARD};
            yAt = new int[] {GUARD, 3 * (width + GUARD), width + GUARD, 2 * (width + GUARD)};
        }

        private static float[] values(long seed, int n, boolean special) {
            return special ? TestData.specials(seed, n) : TestData.floats(seed, n);
        }

        float[] kernel(boolean scaled) {
            float[] out = y.clone();
            run(scaled, out);
            return out;
        }

        void run(boolean scaled, float[] out) {
            if (scaled) {
                Kernels.multiplyPanelScaled(
                        panel, GUARD, stride, width, k, scale, GUARD, x, xAt[0], xAt[1], xAt[2], xAt[3], out, yAt[0],
                        yAt[1], yAt[2], yAt[3]);
            } else {
                Kernels.multiplyPanel(
                        panel, GUARD, stride, width, k, x, xAt[0], xAt[1], xAt[2], xAt[3], out, yAt[0], yAt[1], yAt[2],
                        yAt[3]);
            }
        }

        float[] reference(boolean scaled) {
            float[] out = y.clone();
            if (scaled) {
                PanelReference.multiplyScaled(
                        panel, GUARD, stride, width, k, scale, GUARD, x, xAt[0], xAt[1], xAt[2], xAt[3], out, yAt[0],
                        yAt[1], yAt[2], yAt[3]);
            } else {
                PanelReference.multiply(
                        panel, GUARD, stride, width, k, x, xAt[0], xAt[1], xAt[2], xAt[3], out, yAt[0], yAt[1], yAt[2],
                        yAt[3]);
            }
            return out;
        }
    }
}
