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
    private static final int INPUT = Scratch.PANEL_ROWS;
    private static final int L = F.length();
    private static final int FIELDS = 0x87f00000;

    private Fp8RowsKernels() {}

    /**
     * sums[r][0..64) = sum over columns of w * x[r], for two rows if n is 2, otherwise for four, of which the caller ignores
     * those beyond n.
     *
     * @param from  byte of the first column of the tile's first group
     * @param count of columns, a multiple of 4
     * @param x     (4, {@link Scratch#PANEL_ROWS}), each row from {@link Fp8Kernels#scale}
     * @param n     2 to {@link #ROWS}
     * @param sums  (4, 64)
     */
    static void multiplyRun(
            MemorySegment tiles, long from, long groupBytes, int count, float[] x, int n, float[] sums) {
        if (n == 2) {
            for (int piece = 0; piece < GROUP; piece += L) {
                rows2x4(tiles, from + 4L * piece, groupBytes, count, x, sums, piece);
            }
        } else {
            rows4x4(tiles, from, groupBytes, count, x, sums);
        }
    }

    private static void rows2x4(
            MemorySegment tiles, long at, long groupBytes, int count, float[] x, float[] sums, int sumsAt) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int i = 0; i < count; i += 4) {
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
            t = FloatVector.broadcast(F, x[INPUT + i]);
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
            t = FloatVector.broadcast(F, x[INPUT + i + 1]);
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
            t = FloatVector.broadcast(F, x[INPUT + i + 2]);
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
            t = FloatVector.broadcast(F, x[INPUT + i + 3]);
            b0 = f0.fma(t, b0);
            b1 = f1.fma(t, b1);
            b2 = f2.fma(t, b2);
            b3 = f3.fma(t, b3);
        }
        a0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt);
        a1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + GROUP);
        a2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 2 * GROUP);
        a3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + 3 * GROUP);
        b0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + TILE);
        b1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + TILE + GROUP);
        b2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + TILE + 2 * GROUP);
        b3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, sumsAt + TILE + 3 * GROUP);
    }

    /** One column a round: written out by words as the other, C2 would decode all four first and spill. */
    private static void rows4x4(MemorySegment tiles, long at, long groupBytes, int count, float[] x, float[] sums) {
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
        for (int i = 0; i < count; i++) {
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
            t = FloatVector.broadcast(F, x[INPUT + i]);
            b0 = f0.fma(t, b0);
            b1 = f1.fma(t, b1);
            b2 = f2.fma(t, b2);
            b3 = f3.fma(t, b3);
            t = FloatVector.broadcast(F, x[2 * INPUT + i]);
            c0 = f0.fma(t, c0);
            c1 = f1.fma(t, c1);
            c2 = f2.fma(t, c2);
            c3 = f3.fma(t, c3);
            t = FloatVector.broadcast(F, x[3 * INPUT + i]);
            d0 = f0.fma(t, d0);
            d1 = f1.fma(t, d1);
            d2 = f2.fma(t, d2);
            d3 = f3.fma(t, d3);
        }
        a0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 0);
        a1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, GROUP);
        a2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 2 * GROUP);
        a3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 3 * GROUP);
        b0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, TILE);
        b1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, TILE + GROUP);
        b2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, TILE + 2 * GROUP);
        b3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, TILE + 3 * GROUP);
        c0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 2 * TILE);
        c1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 2 * TILE + GROUP);
        c2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 2 * TILE + 2 * GROUP);
        c3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 2 * TILE + 3 * GROUP);
        d0.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 3 * TILE);
        d1.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 3 * TILE + GROUP);
        d2.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 3 * TILE + 2 * GROUP);
        d3.mul(Fp8Reference.SUM_SCALE).intoArray(sums, 3 * TILE + 3 * GROUP);
    }
}
