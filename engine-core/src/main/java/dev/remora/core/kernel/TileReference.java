package dev.remora.core.kernel;

import static dev.remora.core.kernel.RowReference.fma;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The specification of {@link TileKernels} and {@link ScaledTileKernels}: same order of every sum, no Vector API. */
final class TileReference {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int TILE = Kernels.TILE;

    private TileReference() {}

    static void multiply(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int n) {
        for (int row = 0; row < n; row++) {
            int from = xAt[row] + xColumn;
            int to = yAt[row] + yColumn;
            for (int c = 0; c < TILE; c++) {
                y[to + c] = sum(panel, at + 4L * c, k, x, from, y[to + c]);
            }
        }
    }

    static void multiplyScaled(
            float[] panel,
            int at,
            int k,
            float[] scale,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int n) {
        for (int row = 0; row < n; row++) {
            int from = xAt[row] + xColumn;
            int to = yAt[row] + yColumn;
            for (int c = 0; c < TILE; c++) {
                float a = 0;
                for (int i = 0; i < k; i++) {
                    a = fma(panel[at + TILE * i + c], x[from + i], a);
                }
                y[to + c] = fma(a, scale[c], y[to + c]);
            }
        }
    }

    private static float sum(MemorySegment panel, long at, int k, float[] x, int xAt, float start) {
        float a = start;
        for (int i = 0; i < k; i++) {
            a = fma(panel.get(FLOAT, at + 4L * TILE * i), x[xAt + i], a);
        }
        return a;
    }
}
