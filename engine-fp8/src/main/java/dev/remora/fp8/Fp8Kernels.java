package dev.remora.fp8;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** FP8 tiles on the Vector API. A word holds four neighbouring columns of one row, the first in its low byte. */
final class Fp8Kernels {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int TILE = 64;
    private static final int L = F.length();
    private static final long VECTOR_BYTES = 4L * L;
    private static final int WORD_ROW = 4 * TILE;
    private static final int SIGN = 0x80000000;
    private static final int BIAS = 120 << 23;

    private Fp8Kernels() {}

    /**
     * y[0..64) = sum over runs of scale[run] * (sum over the run's columns of w * x). The decoding of {@link
     * #decodeColumn} is written out: C2 stops inlining helpers in a body of this size, and every vector that crosses a
     * call is boxed.
     *
     * @param runs  first column of each run of equal scale, then the number of columns; multiples of 4
     * @param scale (runs, 64) f32 from byte scaleAt
     */
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
        FloatVector two = FloatVector.broadcast(F, 2f);
        FloatVector minus = FloatVector.broadcast(F, -0x1p-6f);
        for (int lane = 0; lane < TILE; lane += 2 * L) {
            long at = tileAt + 4L * lane;
            FloatVector total0 = FloatVector.zero(F);
            FloatVector total1 = total0;
            for (int run = 0; run + 1 < runs.length; run++) {
                int end = runs[run + 1];
                FloatVector a0 = FloatVector.zero(F);
                FloatVector a1 = a0;
                IntVector w;
                IntVector bits;
                for (int i = runs[run]; i < end; i += 4) {
                    long q = at + (long) (i >> 2) * WORD_ROW;
                    FloatVector x0 = FloatVector.broadcast(F, x[xAt + i]);
                    FloatVector x1 = FloatVector.broadcast(F, x[xAt + i + 1]);
                    FloatVector x2 = FloatVector.broadcast(F, x[xAt + i + 2]);
                    FloatVector x3 = FloatVector.broadcast(F, x[xAt + i + 3]);
                    w = IntVector.fromMemorySegment(I, tiles, q, LE);
                    bits = w.lanewise(VectorOperators.LSHL, 20).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a0 = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN))
                            .reinterpretAsFloats()
                            .fma(x0, a0);
                    bits = w.lanewise(VectorOperators.LSHL, 12).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a0 = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN))
                            .reinterpretAsFloats()
                            .fma(x1, a0);
                    bits = w.lanewise(VectorOperators.LSHL, 4).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a0 = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN))
                            .reinterpretAsFloats()
                            .fma(x2, a0);
                    bits = w.lanewise(VectorOperators.LSHR, 4).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a0 = bits.or(w.and(SIGN)).reinterpretAsFloats().fma(x3, a0);
                    w = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
                    bits = w.lanewise(VectorOperators.LSHL, 20).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a1 = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN))
                            .reinterpretAsFloats()
                            .fma(x0, a1);
                    bits = w.lanewise(VectorOperators.LSHL, 12).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a1 = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN))
                            .reinterpretAsFloats()
                            .fma(x1, a1);
                    bits = w.lanewise(VectorOperators.LSHL, 4).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a1 = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN))
                            .reinterpretAsFloats()
                            .fma(x2, a1);
                    bits = w.lanewise(VectorOperators.LSHR, 4).and(0x07f00000).add(BIAS);
                    bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                    a1 = bits.or(w.and(SIGN)).reinterpretAsFloats().fma(x3, a1);
                }
                long s = scaleAt + 4L * (run * TILE + lane);
                total0 = FloatVector.fromMemorySegment(F, scale, s, LE).fma(a0, total0);
                total1 = FloatVector.fromMemorySegment(F, scale, s + VECTOR_BYTES, LE)
                        .fma(a1, total1);
            }
            total0.intoArray(y, yAt + lane);
            total1.intoArray(y, yAt + lane + L);
        }
    }

    /** Decodes columns [from, from + count) to panel[column - from][64], unscaled. */
    static void decodePanel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
        int i = 0;
        if ((from & 3) == 0) {
            for (; i + 4 <= count; i += 4) {
                decodeWords(tiles, tileAt + (long) ((from + i) >> 2) * WORD_ROW, panel, i * TILE);
            }
        }
        for (; i < count; i++) {
            long q = tileAt + (long) ((from + i) >> 2) * WORD_ROW;
            decodeColumn(tiles, q, 24 - 8 * ((from + i) & 3), panel, i * TILE);
        }
    }

    /** The four columns of 64 words; as {@link #decodeColumn}, written out: a helper that takes vectors may box. */
    private static void decodeWords(MemorySegment tiles, long at, float[] panel, int panelAt) {
        FloatVector two = FloatVector.broadcast(F, 2f);
        FloatVector minus = FloatVector.broadcast(F, -0x1p-6f);
        for (int lane = 0; lane < TILE; lane += L) {
            IntVector w = IntVector.fromMemorySegment(I, tiles, at + 4L * lane, LE);
            int p = panelAt + lane;
            IntVector bits =
                    w.lanewise(VectorOperators.LSHL, 20).and(0x07f00000).add(BIAS);
            bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
            bits = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN));
            bits.reinterpretAsFloats().intoArray(panel, p);
            bits = w.lanewise(VectorOperators.LSHL, 12).and(0x07f00000).add(BIAS);
            bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
            bits = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN));
            bits.reinterpretAsFloats().intoArray(panel, p + TILE);
            bits = w.lanewise(VectorOperators.LSHL, 4).and(0x07f00000).add(BIAS);
            bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
            bits = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN));
            bits.reinterpretAsFloats().intoArray(panel, p + 2 * TILE);
            bits = w.lanewise(VectorOperators.LSHR, 4).and(0x07f00000).add(BIAS);
            bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
            bits = bits.or(w.and(SIGN));
            bits.reinterpretAsFloats().intoArray(panel, p + 3 * TILE);
        }
    }

    /**
     * One column of 64 words; {@code shift} moves its code into the upper byte. With exponent and mantissa moved into
     * place, f = (1 + m/8) * 2^(e - 7) is the number for e &gt; 0; for e = 0 it is 2f - 2^-6. Of the two, the number is
     * always the smaller one, so a minimum chooses without a comparison, and no f32 subnormal meets the FPU.
     */
    private static void decodeColumn(MemorySegment tiles, long at, int shift, float[] panel, int panelAt) {
        FloatVector two = FloatVector.broadcast(F, 2f);
        FloatVector minus = FloatVector.broadcast(F, -0x1p-6f);
        for (int lane = 0; lane < TILE; lane += L) {
            IntVector top =
                    IntVector.fromMemorySegment(I, tiles, at + 4L * lane, LE).lanewise(VectorOperators.LSHL, shift);
            IntVector bits =
                    top.lanewise(VectorOperators.LSHR, 4).and(0x07f00000).add(BIAS);
            bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
            bits.or(top.and(SIGN)).reinterpretAsFloats().intoArray(panel, panelAt + lane);
        }
    }
}
