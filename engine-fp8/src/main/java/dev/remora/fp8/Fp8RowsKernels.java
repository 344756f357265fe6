package dev.remora.fp8;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import dev.remora.core.Scratch;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * A run of an FP8 tile times two to four rows, by the quick decoding of {@link Fp8Kernels}: a weight is decoded in a register
 * and meets all rows. Its twin is {@link Fp8Reference#multiplyRun} of each row.
 */
final class Fp8RowsKernels {
    /** Most rows of one call: with 16 registers, a panel is as good for three and four. */
    static final int ROWS = F.length() == Fp8Layout.GROUP ? Scratch.FEW_ROWS : 2;

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int TILE = 64;
    private static final int GROUP = Fp8Layout.GROUP;
    private static final int L = F.length();
    private static final int FIELDS = 0x87f00000;

    private Fp8RowsKernels() {}

    /**
     * sums[(r * (end - first) + run - first) * 64 ..] = sum over the columns of a run of w * x[r], for runs [first, end) and
     * two rows if n is 2, otherwise four, of which the caller ignores those beyond n.
     *
     * @param tileAt byte of the tile's first group
     * @param runs   first column of each run, multiples of 4, then the number of columns
     * @param x      (4, columns), each row from {@link Fp8Kernels#scale}
     * @param n      2 to {@link #ROWS}
     */
    static void multiplyRuns(
            MemorySegment tiles,
            long tileAt,
            long groupBytes,
            int[] runs,
            int first,
            int end,
            float[] x,
            int n,
            float[] sums) {
        if (n == 2) {
            for (int piece = 0; piece < GROUP; piece += L) {
                rows2x4(tiles, tileAt + 4L * piece, groupBytes, runs, first, end, x, sums, piece);
            }
        } else {
            // Bound by arithmetic, so the ends of the loop cost nothing.
            int stride = runs[runs.length - 1];
            for (int run = first; run < end; run++) {
                int sumsAt = (run - first) * TILE;
                rows4x4(
                        tiles,
                        tileAt,
                        groupBytes,
                        runs[run],
                        runs[run + 1],
                        x,
                        stride,
                        sums,
                        sumsAt,
                        (end - first) * TILE);
            }
        }
    }

    private static void rows2x4(
            MemorySegment tiles,
            long at,
            long groupBytes,
            int[] runs,
            int first,
            int end,
            float[] x,
            float[] sums,
            int piece) {
        int stride = runs[runs.length - 1];
        int sumsStride = (end - first) * TILE;
        for (int run = first; run < end; run++) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            for (int i = runs[run]; i < runs[run + 1]; i += 4) {
                long q = at + (long) i * GROUP;
                IntVector w0 = IntVector.fromMemorySegment(I, tiles, q, LE);
                IntVector w1 = IntVector.fromMemorySegment(I, tiles, q + groupBytes, LE);
                IntVector w2 = IntVector.fromMemorySegment(I, tiles, q + 2 * groupBytes, LE);
                IntVector w3 = IntVector.fromMemorySegment(I, tiles, q + 3 * groupBytes, LE);
                FloatVector f0 = w0.lanewise(VectorOperators.LSHL, 24)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                FloatVector f1 = w1.lanewise(VectorOperators.LSHL, 24)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                FloatVector f2 = w2.lanewise(VectorOperators.LSHL, 24)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                FloatVector f3 = w3.lanewise(VectorOperators.LSHL, 24)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                FloatVector t = FloatVector.broadcast(F, x[i]);
                a0 = f0.fma(t, a0);
                a1 = f1.fma(t, a1);
                a2 = f2.fma(t, a2);
                a3 = f3.fma(t, a3);
                t = FloatVector.broadcast(F, x[stride + i]);
                b0 = f0.fma(t, b0);
                b1 = f1.fma(t, b1);
                b2 = f2.fma(t, b2);
                b3 = f3.fma(t, b3);
                f0 = w0.lanewise(VectorOperators.LSHL, 16)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                f1 = w1.lanewise(VectorOperators.LSHL, 16)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                f2 = w2.lanewise(VectorOperators.LSHL, 16)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                f3 = w3.lanewise(VectorOperators.LSHL, 16)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                t = FloatVector.broadcast(F, x[i + 1]);
                a0 = f0.fma(t, a0);
                a1 = f1.fma(t, a1);
                a2 = f2.fma(t, a2);
                a3 = f3.fma(t, a3);
                t = FloatVector.broadcast(F, x[stride + i + 1]);
                b0 = f0.fma(t, b0);
                b1 = f1.fma(t, b1);
                b2 = f2.fma(t, b2);
                b3 = f3.fma(t, b3);
                f0 = w0.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                f1 = w1.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                f2 = w2.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                f3 = w3.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 4)
                        .and(FIELDS)
                        .reinterpretAsFloats();
                t = FloatVector.broadcast(F, x[i + 2]);
                a0 = f0.fma(t, a0);
                a1 = f1.fma(t, a1);
                a2 = f2.fma(t, a2);
                a3 = f3.fma(t, a3);
                t = FloatVector.broadcast(F, x[stride + i + 2]);
                b0 = f0.fma(t, b0);
                b1 = f1.fma(t, b1);
                b2 = f2.fma(t, b2);
                b3 = f3.fma(t, b3);
                f0 = w0.lanewise(VectorOperators.ASHR, 4).and(FIELDS).reinterpretAsFloats();
                f1 = w1.lanewise(VectorOperators.ASHR, 4).and(FIELDS).reinterpretAsFloats();
                f2 = w2.lanewise(VectorOperators.ASHR, 4).and(FIELDS).reinterpretAsFloats();
                f3 = w3.lanewise(VectorOperators.ASHR, 4).and(FIELDS).reinterpretAsFloats();
                t = FloatVector.broadcast(F, x[i + 3]);
                a0 = f0.fma(t, a0);
                a1 = f1.fma(t, a1);
                a2 = f2.fma(t, a2);
                a3 = f3.fma(t, a3);
                t = FloatVector.broadcast(F, x[stride + i + 3]);
                b0 = f0.fma(t, b0);
                b1 = f1.fma(t, b1);
                b2 = f2.fma(t, b2);
                b3 = f3.fma(t, b3);
            }
            int sumsAt = (run - first) * TILE + piece;
            a0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt);
            a1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + GROUP);
            a2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * GROUP);
            a3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * GROUP);
            b0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride);
            b1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride + GROUP);
            b2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride + 2 * GROUP);
            b3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride + 3 * GROUP);
        }
    }

    /** One column a round: written out by words as the other, C2 would decode all four first and spill. */
    private static void rows4x4(
            MemorySegment tiles,
            long at,
            long groupBytes,
            int from,
            int end,
            float[] x,
            int stride,
            float[] sums,
            int sumsAt,
            int sumsStride) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector c2 = a0;
        FloatVector c3 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        FloatVector d2 = a0;
        FloatVector d3 = a0;
        for (int i = from; i < end; i++) {
            long q = at + (long) (i >> 2) * (4 * GROUP);
            int shift = 24 - 8 * (i & 3);
            FloatVector f0 = IntVector.fromMemorySegment(I, tiles, q, LE)
                    .lanewise(VectorOperators.LSHL, shift)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats();
            FloatVector f1 = IntVector.fromMemorySegment(I, tiles, q + groupBytes, LE)
                    .lanewise(VectorOperators.LSHL, shift)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats();
            FloatVector f2 = IntVector.fromMemorySegment(I, tiles, q + 2 * groupBytes, LE)
                    .lanewise(VectorOperators.LSHL, shift)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats();
            FloatVector f3 = IntVector.fromMemorySegment(I, tiles, q + 3 * groupBytes, LE)
                    .lanewise(VectorOperators.LSHL, shift)
                    .lanewise(VectorOperators.ASHR, 4)
                    .and(FIELDS)
                    .reinterpretAsFloats();
            FloatVector t = FloatVector.broadcast(F, x[i]);
            a0 = f0.fma(t, a0);
            a1 = f1.fma(t, a1);
            a2 = f2.fma(t, a2);
            a3 = f3.fma(t, a3);
            t = FloatVector.broadcast(F, x[stride + i]);
            b0 = f0.fma(t, b0);
            b1 = f1.fma(t, b1);
            b2 = f2.fma(t, b2);
            b3 = f3.fma(t, b3);
            t = FloatVector.broadcast(F, x[2 * stride + i]);
            c0 = f0.fma(t, c0);
            c1 = f1.fma(t, c1);
            c2 = f2.fma(t, c2);
            c3 = f3.fma(t, c3);
            t = FloatVector.broadcast(F, x[3 * stride + i]);
            d0 = f0.fma(t, d0);
            d1 = f1.fma(t, d1);
            d2 = f2.fma(t, d2);
            d3 = f3.fma(t, d3);
        }
        a0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt);
        a1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + GROUP);
        a2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * GROUP);
        a3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * GROUP);
        b0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride);
        b1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride + GROUP);
        b2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride + 2 * GROUP);
        b3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + sumsStride + 3 * GROUP);
        c0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * sumsStride);
        c1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * sumsStride + GROUP);
        c2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * sumsStride + 2 * GROUP);
        c3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * sumsStride + 3 * GROUP);
        d0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * sumsStride);
        d1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * sumsStride + GROUP);
        d2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * sumsStride + 2 * GROUP);
        d3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * sumsStride + 3 * GROUP);
    }
}
