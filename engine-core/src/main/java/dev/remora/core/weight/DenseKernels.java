package dev.remora.core.weight;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Dense tiles on the Vector API. Rows of a tile are as many chains as registers allow and the FMA's
 * latency asks for: all 64 at 512 and 256 bits, so that memory is read in order.
 */
final class DenseKernels {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int TILE = 64;
    private static final int L = F.length();
    private static final long VECTOR_BYTES = 4L * L;
    private static final int WORD_ROW = TILE * TileLayout.WORD;

    private DenseKernels() {}

    static void f32Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        if (L < 16) {
            for (int lane = 0; lane < TILE; lane += 8 * L) {
                f32Row8(tiles, tileAt + 4L * lane, cols, x, xAt, y, yAt + lane);
            }
            return;
        }
        for (int lane = 0; lane < TILE; lane += 4 * L) {
            long at = tileAt + (long) lane * TileLayout.WORD;
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            for (int i = 0; i < cols; i++) {
                long q = at + (long) i * WORD_ROW;
                FloatVector t = FloatVector.broadcast(F, x[xAt + i]);
                a0 = FloatVector.fromMemorySegment(F, tiles, q, LE).fma(t, a0);
                a1 = FloatVector.fromMemorySegment(F, tiles, q + VECTOR_BYTES, LE)
                        .fma(t, a1);
                a2 = FloatVector.fromMemorySegment(F, tiles, q + 2 * VECTOR_BYTES, LE)
                        .fma(t, a2);
                a3 = FloatVector.fromMemorySegment(F, tiles, q + 3 * VECTOR_BYTES, LE)
                        .fma(t, a3);
            }
            a0.intoArray(y, yAt + lane);
            a1.intoArray(y, yAt + lane + L);
            a2.intoArray(y, yAt + lane + 2 * L);
            a3.intoArray(y, yAt + lane + 3 * L);
        }
    }

    private static void f32Row8(MemorySegment tiles, long at, int cols, float[] x, int xAt, float[] y, int yAt) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector a4 = a0;
        FloatVector a5 = a0;
        FloatVector a6 = a0;
        FloatVector a7 = a0;
        for (int i = 0; i < cols; i++) {
            long q = at + (long) i * WORD_ROW;
            FloatVector t = FloatVector.broadcast(F, x[xAt + i]);
            a0 = FloatVector.fromMemorySegment(F, tiles, q, LE).fma(t, a0);
            a1 = FloatVector.fromMemorySegment(F, tiles, q + VECTOR_BYTES, LE).fma(t, a1);
            a2 = FloatVector.fromMemorySegment(F, tiles, q + 2 * VECTOR_BYTES, LE)
                    .fma(t, a2);
            a3 = FloatVector.fromMemorySegment(F, tiles, q + 3 * VECTOR_BYTES, LE)
                    .fma(t, a3);
            a4 = FloatVector.fromMemorySegment(F, tiles, q + 4 * VECTOR_BYTES, LE)
                    .fma(t, a4);
            a5 = FloatVector.fromMemorySegment(F, tiles, q + 5 * VECTOR_BYTES, LE)
                    .fma(t, a5);
            a6 = FloatVector.fromMemorySegment(F, tiles, q + 6 * VECTOR_BYTES, LE)
                    .fma(t, a6);
            a7 = FloatVector.fromMemorySegment(F, tiles, q + 7 * VECTOR_BYTES, LE)
                    .fma(t, a7);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + L);
        a2.intoArray(y, yAt + 2 * L);
        a3.intoArray(y, yAt + 3 * L);
        a4.intoArray(y, yAt + 4 * L);
        a5.intoArray(y, yAt + 5 * L);
        a6.intoArray(y, yAt + 6 * L);
        a7.intoArray(y, yAt + 7 * L);
    }

    static void bf16Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        if (L < 16) {
            for (int lane = 0; lane < TILE; lane += 8 * L) {
                bf16Row8(tiles, tileAt + 4L * lane, cols / 2, x, xAt, y, yAt + lane);
            }
        } else {
            bf16Row4(tiles, tileAt, cols / 2, x, xAt, y, yAt);
        }
        if (cols % 2 != 0) {
            bf16LastColumn(tiles, tileAt + (long) (cols / 2) * WORD_ROW, x[xAt + cols - 1], y, yAt);
        }
    }

    private static void bf16Row4(MemorySegment tiles, long tileAt, int pairs, float[] x, int xAt, float[] y, int yAt) {
        for (int lane = 0; lane < TILE; lane += 4 * L) {
            long at = tileAt + (long) lane * TileLayout.WORD;
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            for (int i = 0; i < pairs; i++) {
                long q = at + (long) i * WORD_ROW;
                FloatVector even = FloatVector.broadcast(F, x[xAt + 2 * i]);
                FloatVector odd = FloatVector.broadcast(F, x[xAt + 2 * i + 1]);
                IntVector w = IntVector.fromMemorySegment(I, tiles, q, LE);
                a0 = low(w).fma(even, a0);
                a0 = high(w).fma(odd, a0);
                w = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
                a1 = low(w).fma(even, a1);
                a1 = high(w).fma(odd, a1);
                w = IntVector.fromMemorySegment(I, tiles, q + 2 * VECTOR_BYTES, LE);
                a2 = low(w).fma(even, a2);
                a2 = high(w).fma(odd, a2);
                w = IntVector.fromMemorySegment(I, tiles, q + 3 * VECTOR_BYTES, LE);
                a3 = low(w).fma(even, a3);
                a3 = high(w).fma(odd, a3);
            }
            a0.intoArray(y, yAt + lane);
            a1.intoArray(y, yAt + lane + L);
            a2.intoArray(y, yAt + lane + 2 * L);
            a3.intoArray(y, yAt + lane + 3 * L);
        }
    }

    private static void bf16Row8(MemorySegment tiles, long at, int pairs, float[] x, int xAt, float[] y, int yAt) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector a4 = a0;
        FloatVector a5 = a0;
        FloatVector a6 = a0;
        FloatVector a7 = a0;
        for (int i = 0; i < pairs; i++) {
            long q = at + (long) i * WORD_ROW;
            FloatVector even = FloatVector.broadcast(F, x[xAt + 2 * i]);
            FloatVector odd = FloatVector.broadcast(F, x[xAt + 2 * i + 1]);
            IntVector w = IntVector.fromMemorySegment(I, tiles, q, LE);
            a0 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a0);
            a0 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a0);
            w = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
            a1 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a1);
            a1 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a1);
            w = IntVector.fromMemorySegment(I, tiles, q + 2 * VECTOR_BYTES, LE);
            a2 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a2);
            a2 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a2);
            w = IntVector.fromMemorySegment(I, tiles, q + 3 * VECTOR_BYTES, LE);
            a3 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a3);
            a3 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a3);
            w = IntVector.fromMemorySegment(I, tiles, q + 4 * VECTOR_BYTES, LE);
            a4 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a4);
            a4 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a4);
            w = IntVector.fromMemorySegment(I, tiles, q + 5 * VECTOR_BYTES, LE);
            a5 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a5);
            a5 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a5);
            w = IntVector.fromMemorySegment(I, tiles, q + 6 * VECTOR_BYTES, LE);
            a6 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a6);
            a6 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a6);
            w = IntVector.fromMemorySegment(I, tiles, q + 7 * VECTOR_BYTES, LE);
            a7 = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a7);
            a7 = w.and(0xffff0000).reinterpretAsFloats().fma(odd, a7);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + L);
        a2.intoArray(y, yAt + 2 * L);
        a3.intoArray(y, yAt + 3 * L);
        a4.intoArray(y, yAt + 4 * L);
        a5.intoArray(y, yAt + 5 * L);
        a6.intoArray(y, yAt + 6 * L);
        a7.intoArray(y, yAt + 7 * L);
    }

    /** Written out, without helpers: C2 no longer inlines them at the end of a body as large as the one above. */
    static void bf16LastColumn(MemorySegment tiles, long at, float factor, float[] y, int yAt) {
        FloatVector t = FloatVector.broadcast(F, factor);
        for (int lane = 0; lane < TILE; lane += L) {
            IntVector.fromMemorySegment(I, tiles, at + (long) lane * TileLayout.WORD, LE)
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(t, FloatVector.fromArray(F, y, yAt + lane))
                    .intoArray(y, yAt + lane);
        }
    }

    static void bf16Panel(MemorySegment tiles, long tileAt, int from, int count, MemorySegment panel) {
        // Panels start at even columns; the second half of a last odd column is overwritten or never read.
        for (int i = 0; i < count; i += 2) {
            long q = tileAt + (long) (from + i) / 2 * WORD_ROW;
            boolean pair = i + 1 < count;
            for (int lane = 0; lane < TILE; lane += L) {
                IntVector w = IntVector.fromMemorySegment(I, tiles, q + (long) lane * TileLayout.WORD, LE);
                low(w).intoMemorySegment(panel, 4L * (i * TILE + lane), LE);
                if (pair) {
                    high(w).intoMemorySegment(panel, 4L * ((i + 1) * TILE + lane), LE);
                }
            }
        }
    }

    static void f16Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        for (int lane = 0; lane < TILE; lane += 2 * L) {
            long at = tileAt + (long) lane * TileLayout.WORD;
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            for (int i = 0; i < cols; i++) {
                long q = at + (long) (i / 2) * WORD_ROW;
                int shift = 16 - 16 * (i % 2);
                FloatVector t = FloatVector.broadcast(F, x[xAt + i]);
                a0 = f16(IntVector.fromMemorySegment(I, tiles, q, LE), shift).fma(t, a0);
                a1 = f16(IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE), shift)
                        .fma(t, a1);
            }
            a0.intoArray(y, yAt + lane);
            a1.intoArray(y, yAt + lane + L);
        }
    }

    static void f16Panel(MemorySegment tiles, long tileAt, int from, int count, MemorySegment panel) {
        for (int i = 0; i < count; i++) {
            long q = tileAt + (long) ((from + i) / 2) * WORD_ROW;
            int shift = 16 - 16 * ((from + i) % 2);
            for (int lane = 0; lane < TILE; lane += L) {
                f16(IntVector.fromMemorySegment(I, tiles, q + (long) lane * TileLayout.WORD, LE), shift)
                        .intoMemorySegment(panel, 4L * (i * TILE + lane), LE);
            }
        }
    }

    private static FloatVector low(IntVector words) {
        return words.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector words) {
        return words.and(0xffff0000).reinterpretAsFloats();
    }

    /**
     * F16 in the upper half after the shift: sign, 5 bits of exponent, 10 of mantissa. Exact, and no f32 subnormal meets
     * the FPU: subnormal codes take the exponent of 2^-14 and lose its implied one by subtraction.
     */
    private static FloatVector f16(IntVector words, int shift) {
        IntVector top = words.lanewise(VectorOperators.LSHL, shift);
        IntVector sign = top.and(0x80000000);
        IntVector bits = top.lanewise(VectorOperators.LSHR, 3).and(0x0fffe000);
        VectorMask<Integer> subnormal = bits.compare(VectorOperators.LT, 0x00800000);
        FloatVector normal = bits.add(112 << 23).reinterpretAsFloats();
        FloatVector tiny = bits.add(113 << 23).reinterpretAsFloats().sub(0x1p-14f);
        return normal.blend(tiny, subnormal.cast(F))
                .reinterpretAsInts()
                .or(sign)
                .reinterpretAsFloats();
    }
}
