package dev.remora.fp8;

import static dev.remora.core.kernel.Kernels.fma;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The specification of {@link Fp8Kernels}: same signatures, same order of every sum, no Vector API. */
final class Fp8Reference {
    private static final int TILE = 64;

    private Fp8Reference() {}

    static void multiplyRow(
            MemorySegment tiles,
            long tileAt,
            int[] runs,
            MemorySegment scale,
            long scaleAt,
            float[] x,
            int xAt,
            float[] y,
            int yAt) {
        for (int lane = 0; lane < TILE; lane++) {
            float total = 0;
            for (int run = 0; run + 1 < runs.length; run++) {
                float partial = 0;
                for (int i = runs[run]; i < runs[run + 1]; i++) {
                    partial = fma(weight(tiles, tileAt, i, lane), x[xAt + i], partial);
                }
                total = fma(partial, scale.get(Fp8Weight.FLOAT, scaleAt + 4L * (run * TILE + lane)), total);
            }
            y[yAt + lane] = total;
        }
    }

    static void decodePanel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
        for (int i = 0; i < count; i++) {
            for (int lane = 0; lane < TILE; lane++) {
                panel[i * TILE + lane] = weight(tiles, tileAt, from + i, lane);
            }
        }
    }

    private static float weight(MemorySegment tiles, long tileAt, int col, int lane) {
        return E4m3.toFloat(tiles.get(ValueLayout.JAVA_BYTE, tileAt + ((long) (col / 4) * TILE + lane) * 4 + col % 4));
    }
}
