package dev.remora.core.weight;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** BF16 tiles times two to four rows, decoded in registers: for so few, a panel is not worth its stores. Written out, as all large bodies. */
final class Bf16RowsKernels {
    /** Most rows of one call. */
    static final int ROWS = 4;

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int TILE = 64;
    private static final int L = F.length();
    private static final long VECTOR_BYTES = 4L * L;
    private static final int WORD_ROW = TILE * TileLayout.WORD;

    private Bf16RowsKernels() {}

    /** y[r][0..64) = tile times x[r], for n rows, 2 to 4. */
    static void multiply(
            MemorySegment tiles,
            long tileAt,
            int cols,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int n) {
        int x0 = xAt[0] + xColumn;
        int x1 = xAt[1] + xColumn;
        int y0 = yAt[0] + yColumn;
        int y1 = yAt[1] + yColumn;
        if (n == 2) {
            for (int lane = 0; lane < TILE; lane += 4 * L) {
                rows2x4(tiles, tileAt + 4L * lane, cols / 2, x, x0, x1, y, y0 + lane, y1 + lane);
            }
        } else {
            int x2 = xAt[2] + xColumn;
            int x3 = xAt[n - 1] + xColumn;
            int y2 = yAt[2] + yColumn;
            int y3 = yAt[n - 1] + yColumn;
            if (L == 16) {
                rows4x4(tiles, tileAt, cols / 2, x, x0, x1, x2, x3, y, y0, y1, y2, y3);
            } else {
                for (int lane = 0; lane < TILE; lane += 2 * L) {
                    rows4x2(
                            tiles,
                            tileAt + 4L * lane,
                            cols / 2,
                            x,
                            x0,
                            x1,
                            x2,
                            x3,
                            y,
                            y0 + lane,
                            y1 + lane,
                            y2 + lane,
                            y3 + lane);
                }
            }
        }
        if (cols % 2 != 0) {
            for (int row = 0; row < n; row++) {
                DenseKernels.bf16LastColumn(
                        tiles,
                        tileAt + (long) (cols / 2) * WORD_ROW,
                        x[xAt[row] + xColumn + cols - 1],
                        y,
                        yAt[row] + yColumn);
            }
        }
    }

    private static void rows2x4(
            MemorySegment tiles, long at, int pairs, float[] x, int x0, int x1, float[] y, int y0, int y1) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int i = 0; i < pairs; i++) {
            long q = at + (long) i * WORD_ROW;
            IntVector w0 = IntVector.fromMemorySegment(I, tiles, q, LE);
            IntVector w1 = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
            IntVector w2 = IntVector.fromMemorySegment(I, tiles, q + 2 * VECTOR_BYTES, LE);
            IntVector w3 = IntVector.fromMemorySegment(I, tiles, q + 3 * VECTOR_BYTES, LE);
            FloatVector even0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even2 = w2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even3 = w3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector t = FloatVector.broadcast(F, x[x0 + 2 * i]);
            a0 = even0.fma(t, a0);
            a1 = even1.fma(t, a1);
            a2 = even2.fma(t, a2);
            a3 = even3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + 2 * i]);
            b0 = even0.fma(t, b0);
            b1 = even1.fma(t, b1);
            b2 = even2.fma(t, b2);
            b3 = even3.fma(t, b3);
            FloatVector odd0 = w0.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd1 = w1.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd2 = w2.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd3 = w3.and(0xffff0000).reinterpretAsFloats();
            t = FloatVector.broadcast(F, x[x0 + 2 * i + 1]);
            a0 = odd0.fma(t, a0);
            a1 = odd1.fma(t, a1);
            a2 = odd2.fma(t, a2);
            a3 = odd3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + 2 * i + 1]);
            b0 = odd0.fma(t, b0);
            b1 = odd1.fma(t, b1);
            b2 = odd2.fma(t, b2);
            b3 = odd3.fma(t, b3);
        }
        a0.intoArray(y, y0);
        a1.intoArray(y, y0 + L);
        a2.intoArray(y, y0 + 2 * L);
        a3.intoArray(y, y0 + 3 * L);
        b0.intoArray(y, y1);
        b1.intoArray(y, y1 + L);
        b2.intoArray(y, y1 + 2 * L);
        b3.intoArray(y, y1 + 3 * L);
    }

    private static void rows4x4(
            MemorySegment tiles,
            long at,
            int pairs,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            float[] y,
            int y0,
            int y1,
            int y2,
            int y3) {
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
        for (int i = 0; i < pairs; i++) {
            long q = at + (long) i * WORD_ROW;
            IntVector w0 = IntVector.fromMemorySegment(I, tiles, q, LE);
            IntVector w1 = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
            IntVector w2 = IntVector.fromMemorySegment(I, tiles, q + 2 * VECTOR_BYTES, LE);
            IntVector w3 = IntVector.fromMemorySegment(I, tiles, q + 3 * VECTOR_BYTES, LE);
            FloatVector even0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even2 = w2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even3 = w3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector t = FloatVector.broadcast(F, x[x0 + 2 * i]);
            a0 = even0.fma(t, a0);
            a1 = even1.fma(t, a1);
            a2 = even2.fma(t, a2);
            a3 = even3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + 2 * i]);
            b0 = even0.fma(t, b0);
            b1 = even1.fma(t, b1);
            b2 = even2.fma(t, b2);
            b3 = even3.fma(t, b3);
            t = FloatVector.broadcast(F, x[x2 + 2 * i]);
            c0 = even0.fma(t, c0);
            c1 = even1.fma(t, c1);
            c2 = even2.fma(t, c2);
            c3 = even3.fma(t, c3);
            t = FloatVector.broadcast(F, x[x3 + 2 * i]);
            d0 = even0.fma(t, d0);
            d1 = even1.fma(t, d1);
            d2 = even2.fma(t, d2);
            d3 = even3.fma(t, d3);
            FloatVector odd0 = w0.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd1 = w1.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd2 = w2.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd3 = w3.and(0xffff0000).reinterpretAsFloats();
            t = FloatVector.broadcast(F, x[x0 + 2 * i + 1]);
            a0 = odd0.fma(t, a0);
            a1 = odd1.fma(t, a1);
            a2 = odd2.fma(t, a2);
            a3 = odd3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + 2 * i + 1]);
            b0 = odd0.fma(t, b0);
            b1 = odd1.fma(t, b1);
            b2 = odd2.fma(t, b2);
            b3 = odd3.fma(t, b3);
            t = FloatVector.broadcast(F, x[x2 + 2 * i + 1]);
            c0 = odd0.fma(t, c0);
            c1 = odd1.fma(t, c1);
            c2 = odd2.fma(t, c2);
            c3 = odd3.fma(t, c3);
            t = FloatVector.broadcast(F, x[x3 + 2 * i + 1]);
            d0 = odd0.fma(t, d0);
            d1 = odd1.fma(t, d1);
            d2 = odd2.fma(t, d2);
            d3 = odd3.fma(t, d3);
        }
        a0.intoArray(y, y0);
        a1.intoArray(y, y0 + L);
        a2.intoArray(y, y0 + 2 * L);
        a3.intoArray(y, y0 + 3 * L);
        b0.intoArray(y, y1);
        b1.intoArray(y, y1 + L);
        b2.intoArray(y, y1 + 2 * L);
        b3.intoArray(y, y1 + 3 * L);
        c0.intoArray(y, y2);
        c1.intoArray(y, y2 + L);
        c2.intoArray(y, y2 + 2 * L);
        c3.intoArray(y, y2 + 3 * L);
        d0.intoArray(y, y3);
        d1.intoArray(y, y3 + L);
        d2.intoArray(y, y3 + 2 * L);
        d3.intoArray(y, y3 + 3 * L);
    }

    private static void rows4x2(
            MemorySegment tiles,
            long at,
            int pairs,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            float[] y,
            int y0,
            int y1,
            int y2,
            int y3) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        for (int i = 0; i < pairs; i++) {
            long q = at + (long) i * WORD_ROW;
            IntVector w0 = IntVector.fromMemorySegment(I, tiles, q, LE);
            IntVector w1 = IntVector.fromMemorySegment(I, tiles, q + VECTOR_BYTES, LE);
            FloatVector even0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector t = FloatVector.broadcast(F, x[x0 + 2 * i]);
            a0 = even0.fma(t, a0);
            a1 = even1.fma(t, a1);
            t = FloatVector.broadcast(F, x[x1 + 2 * i]);
            b0 = even0.fma(t, b0);
            b1 = even1.fma(t, b1);
            t = FloatVector.broadcast(F, x[x2 + 2 * i]);
            c0 = even0.fma(t, c0);
            c1 = even1.fma(t, c1);
            t = FloatVector.broadcast(F, x[x3 + 2 * i]);
            d0 = even0.fma(t, d0);
            d1 = even1.fma(t, d1);
            FloatVector odd0 = w0.and(0xffff0000).reinterpretAsFloats();
            FloatVector odd1 = w1.and(0xffff0000).reinterpretAsFloats();
            t = FloatVector.broadcast(F, x[x0 + 2 * i + 1]);
            a0 = odd0.fma(t, a0);
            a1 = odd1.fma(t, a1);
            t = FloatVector.broadcast(F, x[x1 + 2 * i + 1]);
            b0 = odd0.fma(t, b0);
            b1 = odd1.fma(t, b1);
            t = FloatVector.broadcast(F, x[x2 + 2 * i + 1]);
            c0 = odd0.fma(t, c0);
            c1 = odd1.fma(t, c1);
            t = FloatVector.broadcast(F, x[x3 + 2 * i + 1]);
            d0 = odd0.fma(t, d0);
            d1 = odd1.fma(t, d1);
        }
        a0.intoArray(y, y0);
        a1.intoArray(y, y0 + L);
        b0.intoArray(y, y1);
        b1.intoArray(y, y1 + L);
        c0.intoArray(y, y2);
        c1.intoArray(y, y2 + L);
        d0.intoArray(y, y3);
        d1.intoArray(y, y3 + L);
    }
}
