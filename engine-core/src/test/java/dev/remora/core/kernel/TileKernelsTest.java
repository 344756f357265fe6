package dev.remora.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.core.Allocation;
import dev.remora.core.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("widths")
class TileKernelsTest {
    private static final int TILE = Kernels.TILE;
    private static final int GUARD = 5;
    private static final int X_COLUMN = 3;
    private static final int Y_COLUMN = 7;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 7, 64, 127, 128, 129, 311})
    void vectorEqualsReferenceForEveryGroupOfRows(int k) {
        for (int n = 0; n <= 20; n++) {
            for (boolean special : new boolean[] {false, true}) {
                Case c = new Case(k, n, special);
                assertArrayEquals(c.reference(false), c.kernel(false), n + " rows");
                assertArrayEquals(c.reference(true), c.kernel(true), "scaled, " + n + " rows");
            }
        }
    }

    @Test
    void isTheSumThatItClaims() {
        Case c = new Case(129, 11, false);
        for (boolean scaled : new boolean[] {false, true}) {
            float[] expected = c.y.clone();
            for (int row = 0; row < c.n; row++) {
                for (int col = 0; col < TILE; col++) {
                    int at = c.yAt[row] + Y_COLUMN + col;
                    float sum = scaled ? 0 : c.y[at];
                    for (int i = 0; i < c.k; i++) {
                        sum = Kernels.fma(c.panel[GUARD + i * TILE + col], c.x[c.xAt[row] + X_COLUMN + i], sum);
                    }
                    expected[at] = scaled ? Kernels.fma(sum, c.scale[col], c.y[at]) : sum;
                }
            }
            float[] actual = c.kernel(scaled);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], actual[i], "index " + i);
            }
        }
    }

    @Test
    void allocatesNothing() {
        for (int n : new int[] {1, 2, 4, 6, 13}) {
            Case c = new Case(64, n, false);
            Allocation.assertNone("tile, " + n, () -> c.run(false, c.y));
            Allocation.assertNone("scaled tile, " + n, () -> c.run(true, c.y));
        }
    }

    private static final class Case {
        private final int k;
        private final int n;
        private final float[] panel;
        private final MemorySegment segment;
        private final float[] scale;
        private final float[] x;
        private final float[] y;
        private final int[] xAt;
        private final int[] yAt;

        Case(int k, int n, boolean special) {
            this.k = k;
            this.n = n;
            panel = values(1, GUARD + k * TILE, special);
            segment = Arena.ofAuto().allocate(4L * panel.length, 64);
            MemorySegment.copy(panel, 0, segment, ValueLayout.JAVA_FLOAT, 0, panel.length);
            scale = values(2, TILE, special);
            int xWidth = X_COLUMN + k + GUARD;
            int yWidth = Y_COLUMN + TILE + GUARD;
            x = values(3, n * xWidth + 1, special);
            y = values(4, n * yWidth + 1, special);
            xAt = new int[n];
            yAt = new int[n];
            for (int row = 0; row < n; row++) {
                // In no order and without alignment, as rows of expert groups are.
                xAt[row] = 1 + (n - 1 - row) * xWidth;
                yAt[row] = 1 + (row + n / 2) % n * yWidth;
            }
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
                Kernels.multiplyTileScaled(panel, GUARD, k, scale, x, xAt, X_COLUMN, out, yAt, Y_COLUMN, n);
            } else {
                Kernels.multiplyTile(segment, 4L * GUARD, k, x, xAt, X_COLUMN, out, yAt, Y_COLUMN, n);
            }
        }

        float[] reference(boolean scaled) {
            float[] out = y.clone();
            if (scaled) {
                TileReference.multiplyScaled(panel, GUARD, k, scale, x, xAt, X_COLUMN, out, yAt, Y_COLUMN, n);
            } else {
                TileReference.multiply(segment, 4L * GUARD, k, x, xAt, X_COLUMN, out, yAt, Y_COLUMN, n);
            }
            return out;
        }
    }
}
