package dev.remora.core.weight;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Dense tiles on the Vector API. A tile is crossed in passes of four row vectors: enough chains to hide the FMA's latency. */
final class DenseKernels {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LE);
    private static final int TILE = 64;
    private static final int L = F.length();
    private static final long VECTOR_BYTES = 4L * L;
    private static final int WORD_ROW = TILE * TileLayout.WORD;

    private DenseKernels() {}

    static void f32Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
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

    static void f32Panel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
        MemorySegment.copy(tiles, FLOAT, tileAt + (long) from * WORD_ROW, panel, 0, count * TILE);
    }

    static void bf16Row(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
        int pairs = cols / 2;
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
        if (cols % 2 != 0) {
            bf16LastColumn(tiles, tileAt + (long) pairs * WORD_ROW, x[xAt + cols - 1], y, yAt);
        }
    }

    /** Written out, without helpers: C2 no longer inlines them at the end of a body as large as the one above. */
    private static void bf16LastColumn(MemorySegment tiles, long at, float factor, float[] y, int yAt) {
        FloatVector t = FloatVector.broadcast(F, factor);
        for (int lane = 0; lane < TILE; lane += L) {
            IntVector.fromMemorySegment(I, tiles, at + (long) lane * TileLayout.WORD, LE)
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(t, FloatVector.fromArray(F, y, yAt + lane))
                    .intoArray(y, yAt + lane);
        }
    }

    static void bf16Panel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
        // Panels start at even columns; the second half of a last odd column is overwritten or never read.
        for (int i = 0; i < count; i += 2) {
            long q = tileAt + (long) (from + i) / 2 * WORD_ROW;
            boolean pair = i + 1 < count;
            for (int lane = 0; lane < TILE; lane += L) {
                IntVector w = IntVector.fromMemorySegment(I, tiles, q + (long) lane * TileLayout.WORD, LE);
                low(w).intoArray(panel, i * TILE + lane);
                if (pair) {
                    high(w).intoArray(panel, (i + 1) * TILE + lane);
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

    static void f16Panel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
        for (int i = 0; i < count; i++) {
            long q = tileAt + (long) ((from + i) / 2) * WORD_ROW;
            int shift = 16 - 16 * ((from + i) % 2);
            for (int lane = 0; lane < TILE; lane += L) {
                f16(IntVector.fromMemorySegment(I, tiles, q + (long) lane * TileLayout.WORD, LE), shift)
                        .intoArray(panel, i * TILE + lane);
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
