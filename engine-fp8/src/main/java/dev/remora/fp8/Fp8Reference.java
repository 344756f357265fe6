package dev.remora.fp8;

import static dev.remora.core.kernel.Kernels.fma;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The specification of {@link Fp8Kernels}: same signatures, same order of every sum, no Vector API. */
final class Fp8Reference {
    /** What brings products of weights times 2^-120 back among the normal numbers, and their sums to their own size. */
    static final float INPUT_SCALE = 0x1p64f;

    static final float SUM_SCALE = 0x1p56f;

    /** Bits of 2^-60 and of 2^62: magnitudes that may be scaled so. */
    static final int INPUT_START = (127 - 60) << 23;

    static final int INPUT_END = (127 + 62) << 23;

    private static final int TILE = 64;
    private static final int GROUP = Fp8Layout.GROUP;

    private Fp8Reference() {}

    static boolean scale(float[] x, int xAt, int count, float[] scaled, int scaledAt) {
        return scale(x, xAt, 0, count, scaled, scaledAt);
    }

    /** As {@link Fp8Kernels#scale}, of the values from {@code first} on. */
    static boolean scale(float[] x, int xAt, int first, int count, float[] scaled, int scaledAt) {
        boolean inRange = true;
        for (int i = first; i < count; i++) {
            int magnitude = Float.floatToRawIntBits(x[xAt + i]) & 0x7fffffff;
            inRange &= magnitude == 0 || (magnitude >= INPUT_START && magnitude < INPUT_END);
            scaled[scaledAt + i] = x[xAt + i] * INPUT_SCALE;
        }
        return inRange;
    }

    static void multiplyRun(
            MemorySegment tiles, long from, long groupBytes, int count, float[] x, int xAt, float[] sums) {
        for (int lane = 0; lane < TILE; lane++) {
            float sum = 0;
            for (int i = 0; i < count; i++) {
                sum = fma(weight(tiles, from, groupBytes, i, lane) * 0x1p-120f, x[xAt + i], sum);
            }
            sums[lane] = sum * SUM_SCALE;
        }
    }

    static void multiplyRunCarefully(
            MemorySegment tiles, long from, long groupBytes, int count, float[] x, int xAt, float[] sums) {
        for (int lane = 0; lane < TILE; lane++) {
            float sum = 0;
            for (int i = 0; i < count; i++) {
                sum = fma(weight(tiles, from, groupBytes, i, lane), x[xAt + i], sum);
            }
            sums[lane] = sum;
        }
    }

    static void addScaled(
            float[] sums, int sumsAt, int runs, MemorySegment scale, long scaleAt, int lanes, float[] y, int yAt) {
        for (int run = 0; run < runs; run++) {
            for (int lane = 0; lane < TILE; lane++) {
                float factor = scale.get(Fp8Weight.FLOAT, scaleAt + 4L * (run * lanes + lane % lanes));
                y[yAt + lane] = fma(sums[sumsAt + run * TILE + lane], factor, y[yAt + lane]);
            }
        }
    }

    static void decodePanel(MemorySegment tiles, long from, long groupBytes, int count, float[] panel) {
        decodePanelCarefully(tiles, from, groupBytes, 0, count, panel);
    }

    static void decodePanelCarefully(
            MemorySegment tiles, long tileAt, long groupBytes, int from, int count, float[] panel) {
        for (int i = 0; i < count; i++) {
            for (int lane = 0; lane < TILE; lane++) {
                panel[i * TILE + lane] = weight(tiles, tileAt, groupBytes, from + i, lane);
            }
        }
    }

    private static float weight(MemorySegment tiles, long tileAt, long groupBytes, int col, int lane) {
        long at = tileAt + lane / GROUP * groupBytes + ((long) (col / 4) * GROUP + lane % GROUP) * 4 + col % 4;
        return E4m3.toFloat(tiles.get(ValueLayout.JAVA_BYTE, at));
    }
}
