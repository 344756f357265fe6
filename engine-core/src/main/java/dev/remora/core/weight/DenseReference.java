package dev.remora.core.weight;

import static dev.remora.core.kernel.Kernels.fma;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The specification of {@link DenseKernels}: same signatures, same order of every sum, no Vector API. */
final class DenseReference {
    private static final int TILE = 64;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private DenseReference() {}

    static void f32Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        for (int lane = 0; lane < TILE; lane++) {
            float a = 0;
            for (int i = 0; i < cols; i++) {
                a = fma(Float.intBitsToFloat(word(tiles, tileAt, i, lane)), x[xAt + i], a);
            }
            y[yAt + lane] = a;
        }
    }

    static void bf16Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        for (int lane = 0; lane < TILE; lane++) {
            float a = 0;
            for (int i = 0; i < cols; i++) {
                a = fma(bf16(half(tiles, tileAt, i, lane)), x[xAt + i], a);
            }
            y[yAt + lane] = a;
        }
    }

    static void bf16Panel(MemorySegment tiles, long tileAt, int from, int count, MemorySegment panel) {
        for (int i = 0; i < count; i++) {
            for (int lane = 0; lane < TILE; lane++) {
                panel.set(FLOAT, 4L * (i * TILE + lane), bf16(half(tiles, tileAt, from + i, lane)));
            }
        }
    }

    static void f16Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        for (int lane = 0; lane < TILE; lane++) {
            float a = 0;
            for (int i = 0; i < cols; i++) {
                a = fma(Float.float16ToFloat(half(tiles, tileAt, i, lane)), x[xAt + i], a);
            }
            y[yAt + lane] = a;
        }
    }

    static void f16Panel(MemorySegment tiles, long tileAt, int from, int count, MemorySegment panel) {
        for (int i = 0; i < count; i++) {
            for (int lane = 0; lane < TILE; lane++) {
                panel.set(FLOAT, 4L * (i * TILE + lane), Float.float16ToFloat(half(tiles, tileAt, from + i, lane)));
            }
        }
    }

    static float bf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    private static int word(MemorySegment tiles, long tileAt, int word, int lane) {
        return tiles.get(INT, tileAt + ((long) word * TILE + lane) * TileLayout.WORD);
    }

    private static short half(MemorySegment tiles, long tileAt, int col, int lane) {
        int word = word(tiles, tileAt, col / 2, lane);
        return (short) (col % 2 == 0 ? word : word >>> 16);
    }
}
