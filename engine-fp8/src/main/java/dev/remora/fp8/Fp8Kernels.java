package dev.remora.fp8;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * FP8 tiles on the Vector API; {@link Fp8Layout} draws them. Large bodies are written out: C2 stops inlining helpers in
 * them, and every vector that crosses a call is boxed.
 *
 * <p>There are two decodings, both exact. The quick one smears the sign over four bits by an arithmetic shift and masks: the
 * code's exponent and mantissa stand where f32 has them, so the f32 is the number times 2^-120. A subnormal code becomes an
 * f32 subnormal, right but slow on some CPUs, so {@link Fp8Weight} takes the careful decoding where there are more than a
 * few. That one takes f = (1 + m/8) * 2^(e - 7), the number for e &gt; 0; for e = 0 the number is 2f - 2^-6. It is always
 * the smaller of the two, so a minimum chooses.
 */
final class Fp8Kernels {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int TILE = 64;
    private static final int GROUP = Fp8Layout.GROUP;
    private static final int L = F.length();
    private static final long VECTOR_BYTES = 4L * L;
    private static final int SIGN = 0x80000000;
    private static final int MAGNITUDE = 0x07f00000;
    private static final int FIELDS = SIGN | MAGNITUDE;
    private static final int BIAS = 120 << 23;

    private Fp8Kernels() {}

    /**
     * scaled = x * 2^64, of count values; true if all of them are 0 or from 2^-60 to 2^62 in magnitude. Then the products
     * with weights that were multiplied by 2^-120 are whole multiples of the smallest f32, none overflows, and their sums
     * have the bits of the unscaled ones.
     */
    static boolean scale(float[] x, int xAt, int count, float[] scaled, int scaledAt) {
        IntVector most = IntVector.zero(I);
        IntVector least = IntVector.broadcast(I, Integer.MAX_VALUE);
        int i = 0;
        for (; i + L <= count; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, xAt + i);
            IntVector magnitude = v.reinterpretAsInts().and(0x7fffffff);
            most = most.max(magnitude);
            // Zeros become the largest integer.
            least = least.min(magnitude.sub(1).and(0x7fffffff));
            v.mul(Fp8Reference.INPUT_SCALE).intoArray(scaled, scaledAt + i);
        }
        return Fp8Reference.scale(x, xAt, i, count, scaled, scaledAt)
                && most.compare(VectorOperators.LT, Fp8Reference.INPUT_END).allTrue()
                && least.compare(VectorOperators.GE, Fp8Reference.INPUT_START - 1)
                        .allTrue();
    }

    /**
     * sums[(r - first) * 64 ..] = sum over the columns of run r of w * x, for runs [first, end), by the quick decoding.
     *
     * @param tileAt byte of the tile's first group
     * @param runs   first column of each run, multiples of 4, then the number of columns
     * @param x      (columns), from {@link #scale}
     */
    static void multiplyRuns(
            MemorySegment tiles,
            long tileAt,
            long groupBytes,
            int[] runs,
            int first,
            int end,
            float[] x,
            float[] sums) {
        if (L == GROUP) {
            multiplyFourVectors(tiles, tileAt, groupBytes, runs, first, end, x, sums);
        } else {
            multiplyEightVectors(tiles, tileAt, groupBytes, runs, first, end, x, sums);
        }
    }

    private static void multiplyFourVectors(
            MemorySegment tiles,
            long tileAt,
            long groupBytes,
            int[] runs,
            int first,
            int end,
            float[] x,
            float[] sums) {
        for (int piece = 0; piece < GROUP; piece += L) {
            long at = tileAt + 4L * piece;
            for (int run = first; run < end; run++) {
                FloatVector a0 = FloatVector.zero(F);
                FloatVector a1 = a0;
                FloatVector a2 = a0;
                FloatVector a3 = a0;
                IntVector w;
                for (int i = runs[run]; i < runs[run + 1]; i += 4) {
                    long q = at + (long) i * GROUP;
                    FloatVector x0 = FloatVector.broadcast(F, x[i]);
                    FloatVector x1 = FloatVector.broadcast(F, x[i + 1]);
                    FloatVector x2 = FloatVector.broadcast(F, x[i + 2]);
                    FloatVector x3 = FloatVector.broadcast(F, x[i + 3]);
                    w = IntVector.fromMemorySegment(I, tiles, q, LE);
                    a0 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a0);
                    a0 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a0);
                    a0 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a0);
                    a0 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a0);
                    w = IntVector.fromMemorySegment(I, tiles, q + groupBytes, LE);
                    a1 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a1);
                    a1 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a1);
                    a1 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a1);
                    a1 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a1);
                    w = IntVector.fromMemorySegment(I, tiles, q + 2 * groupBytes, LE);
                    a2 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a2);
                    a2 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a2);
                    a2 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a2);
                    a2 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a2);
                    w = IntVector.fromMemorySegment(I, tiles, q + 3 * groupBytes, LE);
                    a3 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a3);
                    a3 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a3);
                    a3 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a3);
                    a3 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a3);
                }
                int sumsAt = (run - first) * TILE + piece;
                a0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt);
                a1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 1 * GROUP);
                a2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * GROUP);
                a3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * GROUP);
            }
        }
    }

    /** Vectors of half a group or less: two neighbours of each group, so that a line of memory is used when it arrives. */
    private static void multiplyEightVectors(
            MemorySegment tiles,
            long tileAt,
            long groupBytes,
            int[] runs,
            int first,
            int end,
            float[] x,
            float[] sums) {
        for (int piece = 0; piece < GROUP; piece += 2 * L) {
            long at = tileAt + 4L * piece;
            for (int run = first; run < end; run++) {
                FloatVector a0 = FloatVector.zero(F);
                FloatVector a1 = a0;
                FloatVector a2 = a0;
                FloatVector a3 = a0;
                FloatVector a4 = a0;
                FloatVector a5 = a0;
                FloatVector a6 = a0;
                FloatVector a7 = a0;
                IntVector w;
                for (int i = runs[run]; i < runs[run + 1]; i += 4) {
                    long q = at + (long) i * GROUP;
                    FloatVector x0 = FloatVector.broadcast(F, x[i]);
                    FloatVector x1 = FloatVector.broadcast(F, x[i + 1]);
                    FloatVector x2 = FloatVector.broadcast(F, x[i + 2]);
                    FloatVector x3 = FloatVector.broadcast(F, x[i + 3]);
                    w = IntVector.fromMemorySegment(I, tiles, q, LE);
                    a0 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a0);
                    a0 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a0);
                    a0 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a0);
                    a0 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a0);
                    w = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
                    a1 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a1);
                    a1 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a1);
                    a1 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a1);
                    a1 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a1);
                    w = IntVector.fromMemorySegment(I, tiles, q + groupBytes, LE);
                    a2 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a2);
                    a2 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a2);
                    a2 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a2);
                    a2 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a2);
                    w = IntVector.fromMemorySegment(I, tiles, q + groupBytes + VECTOR_BYTES, LE);
                    a3 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a3);
                    a3 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a3);
                    a3 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a3);
                    a3 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a3);
                    w = IntVector.fromMemorySegment(I, tiles, q + 2 * groupBytes, LE);
                    a4 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a4);
                    a4 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a4);
                    a4 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a4);
                    a4 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a4);
                    w = IntVector.fromMemorySegment(I, tiles, q + 2 * groupBytes + VECTOR_BYTES, LE);
                    a5 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a5);
                    a5 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a5);
                    a5 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a5);
                    a5 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a5);
                    w = IntVector.fromMemorySegment(I, tiles, q + 3 * groupBytes, LE);
                    a6 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a6);
                    a6 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a6);
                    a6 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a6);
                    a6 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a6);
                    w = IntVector.fromMemorySegment(I, tiles, q + 3 * groupBytes + VECTOR_BYTES, LE);
                    a7 = w.lanewise(VectorOperators.LSHL, 24)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x0, a7);
                    a7 = w.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x1, a7);
                    a7 = w.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x2, a7);
                    a7 = w.lanewise(VectorOperators.ASHR, 4)
                            .and(FIELDS)
                            .reinterpretAsFloats()
                            .fma(x3, a7);
                }
                int sumsAt = (run - first) * TILE + piece;
                a0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt);
                a1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + L);
                a2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 1 * GROUP);
                a3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 1 * GROUP + L);
                a4.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * GROUP);
                a5.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * GROUP + L);
                a6.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * GROUP);
                a7.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * GROUP + L);
            }
        }
    }

    /** sums[0..64) = sum over the columns of one run of w * x, by the careful decoding. */
    static void multiplyRunCarefully(
            MemorySegment tiles, long from, long groupBytes, int count, float[] x, int xAt, float[] sums) {
        FloatVector two = FloatVector.broadcast(F, 2f);
        FloatVector minus = FloatVector.broadcast(F, -0x1p-6f);
        for (int piece = 0; piece < GROUP; piece += L) {
            long at = from + 4L * piece;
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            IntVector w;
            IntVector bits;
            for (int i = 0; i < count; i += 4) {
                long q = at + (long) i * GROUP;
                FloatVector x0 = FloatVector.broadcast(F, x[xAt + i]);
                FloatVector x1 = FloatVector.broadcast(F, x[xAt + i + 1]);
                FloatVector x2 = FloatVector.broadcast(F, x[xAt + i + 2]);
                FloatVector x3 = FloatVector.broadcast(F, x[xAt + i + 3]);
                w = IntVector.fromMemorySegment(I, tiles, q, LE);
                bits = w.lanewise(VectorOperators.LSHL, 20).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a0 = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x0, a0);
                bits = w.lanewise(VectorOperators.LSHL, 12).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a0 = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x1, a0);
                bits = w.lanewise(VectorOperators.LSHL, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a0 = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x2, a0);
                bits = w.lanewise(VectorOperators.LSHR, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a0 = bits.or(w.and(SIGN)).reinterpretAsFloats().fma(x3, a0);
                w = IntVector.fromMemorySegment(I, tiles, q + groupBytes, LE);
                bits = w.lanewise(VectorOperators.LSHL, 20).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a1 = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x0, a1);
                bits = w.lanewise(VectorOperators.LSHL, 12).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a1 = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x1, a1);
                bits = w.lanewise(VectorOperators.LSHL, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a1 = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x2, a1);
                bits = w.lanewise(VectorOperators.LSHR, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a1 = bits.or(w.and(SIGN)).reinterpretAsFloats().fma(x3, a1);
                w = IntVector.fromMemorySegment(I, tiles, q + 2 * groupBytes, LE);
                bits = w.lanewise(VectorOperators.LSHL, 20).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a2 = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x0, a2);
                bits = w.lanewise(VectorOperators.LSHL, 12).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a2 = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x1, a2);
                bits = w.lanewise(VectorOperators.LSHL, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a2 = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x2, a2);
                bits = w.lanewise(VectorOperators.LSHR, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a2 = bits.or(w.and(SIGN)).reinterpretAsFloats().fma(x3, a2);
                w = IntVector.fromMemorySegment(I, tiles, q + 3 * groupBytes, LE);
                bits = w.lanewise(VectorOperators.LSHL, 20).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a3 = bits.or(w.lanewise(VectorOperators.LSHL, 24).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x0, a3);
                bits = w.lanewise(VectorOperators.LSHL, 12).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a3 = bits.or(w.lanewise(VectorOperators.LSHL, 16).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x1, a3);
                bits = w.lanewise(VectorOperators.LSHL, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a3 = bits.or(w.lanewise(VectorOperators.LSHL, 8).and(SIGN))
                        .reinterpretAsFloats()
                        .fma(x2, a3);
                bits = w.lanewise(VectorOperators.LSHR, 4).and(MAGNITUDE).add(BIAS);
                bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
                a3 = bits.or(w.and(SIGN)).reinterpretAsFloats().fma(x3, a3);
            }
            a0.intoArray(sums, piece);
            a1.intoArray(sums, piece + 1 * GROUP);
            a2.intoArray(sums, piece + 2 * GROUP);
            a3.intoArray(sums, piece + 3 * GROUP);
        }
    }

    /**
     * y += scale * sums of one run after the other, of 64 values.
     *
     * @param sums    (runs, 64)
     * @param scaleAt byte of the first run's factors
     * @param lanes   1 if a run has one factor, 64 if each value has its own
     */
    static void addScaled(
            float[] sums, int sumsAt, int runs, MemorySegment scale, long scaleAt, int lanes, float[] y, int yAt) {
        for (int lane = 0; lane < TILE; lane += L) {
            if (lanes == 1) {
                addScaled(sums, sumsAt + lane, runs, scale, scaleAt, y, yAt + lane);
            } else {
                addScaledEach(sums, sumsAt + lane, runs, scale, scaleAt + 4L * lane, y, yAt + lane);
            }
        }
    }

    private static void addScaled(
            float[] sums, int sumsAt, int runs, MemorySegment scale, long scaleAt, float[] y, int yAt) {
        FloatVector sum = FloatVector.fromArray(F, y, yAt);
        for (int run = 0; run < runs; run++) {
            sum = FloatVector.fromArray(F, sums, sumsAt + run * TILE)
                    .fma(FloatVector.broadcast(F, scale.get(Fp8Weight.FLOAT, scaleAt + 4L * run)), sum);
        }
        sum.intoArray(y, yAt);
    }

    private static void addScaledEach(
            float[] sums, int sumsAt, int runs, MemorySegment scale, long scaleAt, float[] y, int yAt) {
        FloatVector sum = FloatVector.fromArray(F, y, yAt);
        for (int run = 0; run < runs; run++) {
            sum = FloatVector.fromArray(F, sums, sumsAt + run * TILE)
                    .fma(FloatVector.fromMemorySegment(F, scale, scaleAt + 4L * TILE * run, LE), sum);
        }
        sum.intoArray(y, yAt);
    }

    /**
     * Decodes columns to panel[column][64] by the quick decoding, unscaled.
     *
     * @param from  byte of the first column, the first of its word, of the tile's first group
     * @param count of columns, a multiple of 4
     */
    static void decodePanel(MemorySegment tiles, long from, long groupBytes, int count, float[] panel) {
        for (int i = 0; i < count; i += 4) {
            decodeWords(tiles, from + (long) i * GROUP, groupBytes, panel, i * TILE);
        }
    }

    private static void decodeWords(MemorySegment tiles, long from, long groupBytes, float[] panel, int panelAt) {
        for (int lane = 0; lane < TILE; lane += L) {
            long at = from + lane / GROUP * groupBytes + 4L * (lane % GROUP);
            IntVector w = IntVector.fromMemorySegment(I, tiles, at, LE);
            int p = panelAt + lane;
            w.lanewise(VectorOperators.LSHL, 24)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats()
                    .mul(0x1p120f)
                    .intoArray(panel, p);
            w.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats()
                    .mul(0x1p120f)
                    .intoArray(panel, p + 1 * TILE);
            w.lanewise(VectorOperators.LSHL, 8)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats()
                    .mul(0x1p120f)
                    .intoArray(panel, p + 2 * TILE);
            w.lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats()
                    .mul(0x1p120f)
                    .intoArray(panel, p + 3 * TILE);
        }
    }

    /** Decodes columns [from, from + count) of a tile to panel[column - from][64] by the careful decoding, unscaled. */
    static void decodePanelCarefully(
            MemorySegment tiles, long tileAt, long groupBytes, int from, int count, float[] panel) {
        for (int i = 0; i < count; i++) {
            long word = tileAt + (long) ((from + i) >> 2) * 4 * GROUP;
            decodeColumn(tiles, word, groupBytes, 24 - 8 * ((from + i) & 3), panel, i * TILE);
        }
    }

    /** One column of 64 words; {@code shift} moves its code into the upper byte. */
    private static void decodeColumn(
            MemorySegment tiles, long word, long groupBytes, int shift, float[] panel, int panelAt) {
        FloatVector two = FloatVector.broadcast(F, 2f);
        FloatVector minus = FloatVector.broadcast(F, -0x1p-6f);
        for (int lane = 0; lane < TILE; lane += L) {
            long at = word + lane / GROUP * groupBytes + 4L * (lane % GROUP);
            IntVector top = IntVector.fromMemorySegment(I, tiles, at, LE).lanewise(VectorOperators.LSHL, shift);
            IntVector bits =
                    top.lanewise(VectorOperators.LSHR, 4).and(MAGNITUDE).add(BIAS);
            bits = bits.min(bits.reinterpretAsFloats().fma(two, minus).reinterpretAsInts());
            bits.or(top.and(SIGN)).reinterpretAsFloats().intoArray(panel, panelAt + lane);
        }
    }
}
