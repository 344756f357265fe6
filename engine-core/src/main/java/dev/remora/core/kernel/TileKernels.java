package dev.remora.core.kernel;

import static dev.remora.core.kernel.VectorShapes.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The register-tiled multiplication that every weight with several rows goes through: a panel (k, 64) of f32 in native
 * memory, where vectors do not cross cache lines, times groups of six, four or two rows. As many accumulators as registers
 * allow: 24 of 32 at 512 bits, where all 64 columns are one pass; 12 of 16 below, in passes of two vectors.
 *
 * <p>Rows have offsets of their own, because C2 keeps the broadcasts beside their use only if each has an address of its own;
 * with one address and constant distances it loads them all first and spills. Groups are whole and methods take few
 * arguments, so that the loop keeps its addresses in registers too.
 */
final class TileKernels {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int L = F.length();
    private static final long BYTES = 4L * L;
    private static final int TILE = Kernels.TILE;
    private static final int ROW = 4 * TILE;

    private TileKernels() {}

    static void multiply(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int n) {
        int row = 0;
        while (row < n) {
            int left = n - row;
            if (left >= 6 && left != 8) {
                if (L == 16) {
                    tile6x4(panel, at, k, x, xAt, xColumn, y, yAt, yColumn, row);
                } else {
                    for (int lane = 0; lane < TILE; lane += 2 * L) {
                        tile6x2(panel, at + 4L * lane, k, x, xAt, xColumn, y, yAt, yColumn + lane, row);
                    }
                }
                row += 6;
            } else if (left >= 4) {
                if (L == 16) {
                    tile4x4(panel, at, k, x, xAt, xColumn, y, yAt, yColumn, row);
                } else {
                    for (int lane = 0; lane < TILE; lane += 2 * L) {
                        tile4x2(panel, at + 4L * lane, k, x, xAt, xColumn, y, yAt, yColumn + lane, row);
                    }
                }
                row += 4;
            } else {
                for (int lane = 0; lane < TILE; lane += 4 * L) {
                    tile2x4(
                            panel,
                            at + 4L * lane,
                            k,
                            x,
                            xAt,
                            xColumn,
                            y,
                            yAt,
                            yColumn + lane,
                            row,
                            Math.min(row + 1, n - 1));
                }
                row += 2;
            }
        }
    }

    private static void tile6x4(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int row) {
        int x0 = xAt[row] + xColumn;
        int x1 = xAt[row + 1] + xColumn;
        int x2 = xAt[row + 2] + xColumn;
        int x3 = xAt[row + 3] + xColumn;
        int x4 = xAt[row + 4] + xColumn;
        int x5 = xAt[row + 5] + xColumn;
        int y0 = yAt[row] + yColumn;
        int y1 = yAt[row + 1] + yColumn;
        int y2 = yAt[row + 2] + yColumn;
        int y3 = yAt[row + 3] + yColumn;
        int y4 = yAt[row + 4] + yColumn;
        int y5 = yAt[row + 5] + yColumn;
        FloatVector a0 = FloatVector.fromArray(F, y, y0);
        FloatVector a1 = FloatVector.fromArray(F, y, y0 + L);
        FloatVector a2 = FloatVector.fromArray(F, y, y0 + 2 * L);
        FloatVector a3 = FloatVector.fromArray(F, y, y0 + 3 * L);
        FloatVector b0 = FloatVector.fromArray(F, y, y1);
        FloatVector b1 = FloatVector.fromArray(F, y, y1 + L);
        FloatVector b2 = FloatVector.fromArray(F, y, y1 + 2 * L);
        FloatVector b3 = FloatVector.fromArray(F, y, y1 + 3 * L);
        FloatVector c0 = FloatVector.fromArray(F, y, y2);
        FloatVector c1 = FloatVector.fromArray(F, y, y2 + L);
        FloatVector c2 = FloatVector.fromArray(F, y, y2 + 2 * L);
        FloatVector c3 = FloatVector.fromArray(F, y, y2 + 3 * L);
        FloatVector d0 = FloatVector.fromArray(F, y, y3);
        FloatVector d1 = FloatVector.fromArray(F, y, y3 + L);
        FloatVector d2 = FloatVector.fromArray(F, y, y3 + 2 * L);
        FloatVector d3 = FloatVector.fromArray(F, y, y3 + 3 * L);
        FloatVector e0 = FloatVector.fromArray(F, y, y4);
        FloatVector e1 = FloatVector.fromArray(F, y, y4 + L);
        FloatVector e2 = FloatVector.fromArray(F, y, y4 + 2 * L);
        FloatVector e3 = FloatVector.fromArray(F, y, y4 + 3 * L);
        FloatVector f0 = FloatVector.fromArray(F, y, y5);
        FloatVector f1 = FloatVector.fromArray(F, y, y5 + L);
        FloatVector f2 = FloatVector.fromArray(F, y, y5 + 2 * L);
        FloatVector f3 = FloatVector.fromArray(F, y, y5 + 3 * L);
        for (int i = 0; i < k; i++) {
            long q = at + (long) i * ROW;
            FloatVector w0 = FloatVector.fromMemorySegment(F, panel, q, LE);
            FloatVector w1 = FloatVector.fromMemorySegment(F, panel, q + BYTES, LE);
            FloatVector w2 = FloatVector.fromMemorySegment(F, panel, q + 2 * BYTES, LE);
            FloatVector w3 = FloatVector.fromMemorySegment(F, panel, q + 3 * BYTES, LE);
            FloatVector t = FloatVector.broadcast(F, x[x0 + i]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            a2 = w2.fma(t, a2);
            a3 = w3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + i]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            b2 = w2.fma(t, b2);
            b3 = w3.fma(t, b3);
            t = FloatVector.broadcast(F, x[x2 + i]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            c2 = w2.fma(t, c2);
            c3 = w3.fma(t, c3);
            t = FloatVector.broadcast(F, x[x3 + i]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
            d2 = w2.fma(t, d2);
            d3 = w3.fma(t, d3);
            t = FloatVector.broadcast(F, x[x4 + i]);
            e0 = w0.fma(t, e0);
            e1 = w1.fma(t, e1);
            e2 = w2.fma(t, e2);
            e3 = w3.fma(t, e3);
            t = FloatVector.broadcast(F, x[x5 + i]);
            f0 = w0.fma(t, f0);
            f1 = w1.fma(t, f1);
            f2 = w2.fma(t, f2);
            f3 = w3.fma(t, f3);
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
        e0.intoArray(y, y4);
        e1.intoArray(y, y4 + L);
        e2.intoArray(y, y4 + 2 * L);
        e3.intoArray(y, y4 + 3 * L);
        f0.intoArray(y, y5);
        f1.intoArray(y, y5 + L);
        f2.intoArray(y, y5 + 2 * L);
        f3.intoArray(y, y5 + 3 * L);
    }

    private static void tile6x2(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int row) {
        int x0 = xAt[row] + xColumn;
        int x1 = xAt[row + 1] + xColumn;
        int x2 = xAt[row + 2] + xColumn;
        int x3 = xAt[row + 3] + xColumn;
        int x4 = xAt[row + 4] + xColumn;
        int x5 = xAt[row + 5] + xColumn;
        int y0 = yAt[row] + yColumn;
        int y1 = yAt[row + 1] + yColumn;
        int y2 = yAt[row + 2] + yColumn;
        int y3 = yAt[row + 3] + yColumn;
        int y4 = yAt[row + 4] + yColumn;
        int y5 = yAt[row + 5] + yColumn;
        FloatVector a0 = FloatVector.fromArray(F, y, y0);
        FloatVector a1 = FloatVector.fromArray(F, y, y0 + L);
        FloatVector b0 = FloatVector.fromArray(F, y, y1);
        FloatVector b1 = FloatVector.fromArray(F, y, y1 + L);
        FloatVector c0 = FloatVector.fromArray(F, y, y2);
        FloatVector c1 = FloatVector.fromArray(F, y, y2 + L);
        FloatVector d0 = FloatVector.fromArray(F, y, y3);
        FloatVector d1 = FloatVector.fromArray(F, y, y3 + L);
        FloatVector e0 = FloatVector.fromArray(F, y, y4);
        FloatVector e1 = FloatVector.fromArray(F, y, y4 + L);
        FloatVector f0 = FloatVector.fromArray(F, y, y5);
        FloatVector f1 = FloatVector.fromArray(F, y, y5 + L);
        for (int i = 0; i < k; i++) {
            long q = at + (long) i * ROW;
            FloatVector w0 = FloatVector.fromMemorySegment(F, panel, q, LE);
            FloatVector w1 = FloatVector.fromMemorySegment(F, panel, q + BYTES, LE);
            FloatVector t = FloatVector.broadcast(F, x[x0 + i]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            t = FloatVector.broadcast(F, x[x1 + i]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            t = FloatVector.broadcast(F, x[x2 + i]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            t = FloatVector.broadcast(F, x[x3 + i]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
            t = FloatVector.broadcast(F, x[x4 + i]);
            e0 = w0.fma(t, e0);
            e1 = w1.fma(t, e1);
            t = FloatVector.broadcast(F, x[x5 + i]);
            f0 = w0.fma(t, f0);
            f1 = w1.fma(t, f1);
        }
        a0.intoArray(y, y0);
        a1.intoArray(y, y0 + L);
        b0.intoArray(y, y1);
        b1.intoArray(y, y1 + L);
        c0.intoArray(y, y2);
        c1.intoArray(y, y2 + L);
        d0.intoArray(y, y3);
        d1.intoArray(y, y3 + L);
        e0.intoArray(y, y4);
        e1.intoArray(y, y4 + L);
        f0.intoArray(y, y5);
        f1.intoArray(y, y5 + L);
    }

    private static void tile4x4(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int row) {
        int x0 = xAt[row] + xColumn;
        int x1 = xAt[row + 1] + xColumn;
        int x2 = xAt[row + 2] + xColumn;
        int x3 = xAt[row + 3] + xColumn;
        int y0 = yAt[row] + yColumn;
        int y1 = yAt[row + 1] + yColumn;
        int y2 = yAt[row + 2] + yColumn;
        int y3 = yAt[row + 3] + yColumn;
        FloatVector a0 = FloatVector.fromArray(F, y, y0);
        FloatVector a1 = FloatVector.fromArray(F, y, y0 + L);
        FloatVector a2 = FloatVector.fromArray(F, y, y0 + 2 * L);
        FloatVector a3 = FloatVector.fromArray(F, y, y0 + 3 * L);
        FloatVector b0 = FloatVector.fromArray(F, y, y1);
        FloatVector b1 = FloatVector.fromArray(F, y, y1 + L);
        FloatVector b2 = FloatVector.fromArray(F, y, y1 + 2 * L);
        FloatVector b3 = FloatVector.fromArray(F, y, y1 + 3 * L);
        FloatVector c0 = FloatVector.fromArray(F, y, y2);
        FloatVector c1 = FloatVector.fromArray(F, y, y2 + L);
        FloatVector c2 = FloatVector.fromArray(F, y, y2 + 2 * L);
        FloatVector c3 = FloatVector.fromArray(F, y, y2 + 3 * L);
        FloatVector d0 = FloatVector.fromArray(F, y, y3);
        FloatVector d1 = FloatVector.fromArray(F, y, y3 + L);
        FloatVector d2 = FloatVector.fromArray(F, y, y3 + 2 * L);
        FloatVector d3 = FloatVector.fromArray(F, y, y3 + 3 * L);
        for (int i = 0; i < k; i++) {
            long q = at + (long) i * ROW;
            FloatVector w0 = FloatVector.fromMemorySegment(F, panel, q, LE);
            FloatVector w1 = FloatVector.fromMemorySegment(F, panel, q + BYTES, LE);
            FloatVector w2 = FloatVector.fromMemorySegment(F, panel, q + 2 * BYTES, LE);
            FloatVector w3 = FloatVector.fromMemorySegment(F, panel, q + 3 * BYTES, LE);
            FloatVector t = FloatVector.broadcast(F, x[x0 + i]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            a2 = w2.fma(t, a2);
            a3 = w3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + i]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            b2 = w2.fma(t, b2);
            b3 = w3.fma(t, b3);
            t = FloatVector.broadcast(F, x[x2 + i]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            c2 = w2.fma(t, c2);
            c3 = w3.fma(t, c3);
            t = FloatVector.broadcast(F, x[x3 + i]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
            d2 = w2.fma(t, d2);
            d3 = w3.fma(t, d3);
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

    private static void tile4x2(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int row) {
        int x0 = xAt[row] + xColumn;
        int x1 = xAt[row + 1] + xColumn;
        int x2 = xAt[row + 2] + xColumn;
        int x3 = xAt[row + 3] + xColumn;
        int y0 = yAt[row] + yColumn;
        int y1 = yAt[row + 1] + yColumn;
        int y2 = yAt[row + 2] + yColumn;
        int y3 = yAt[row + 3] + yColumn;
        FloatVector a0 = FloatVector.fromArray(F, y, y0);
        FloatVector a1 = FloatVector.fromArray(F, y, y0 + L);
        FloatVector b0 = FloatVector.fromArray(F, y, y1);
        FloatVector b1 = FloatVector.fromArray(F, y, y1 + L);
        FloatVector c0 = FloatVector.fromArray(F, y, y2);
        FloatVector c1 = FloatVector.fromArray(F, y, y2 + L);
        FloatVector d0 = FloatVector.fromArray(F, y, y3);
        FloatVector d1 = FloatVector.fromArray(F, y, y3 + L);
        for (int i = 0; i < k; i++) {
            long q = at + (long) i * ROW;
            FloatVector w0 = FloatVector.fromMemorySegment(F, panel, q, LE);
            FloatVector w1 = FloatVector.fromMemorySegment(F, panel, q + BYTES, LE);
            FloatVector t = FloatVector.broadcast(F, x[x0 + i]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            t = FloatVector.broadcast(F, x[x1 + i]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            t = FloatVector.broadcast(F, x[x2 + i]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            t = FloatVector.broadcast(F, x[x3 + i]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
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

    private static void tile2x4(
            MemorySegment panel,
            long at,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int row,
            int next) {
        int x0 = xAt[row] + xColumn;
        int x1 = xAt[next] + xColumn;
        int y0 = yAt[row] + yColumn;
        int y1 = yAt[next] + yColumn;
        FloatVector a0 = FloatVector.fromArray(F, y, y0);
        FloatVector a1 = FloatVector.fromArray(F, y, y0 + L);
        FloatVector a2 = FloatVector.fromArray(F, y, y0 + 2 * L);
        FloatVector a3 = FloatVector.fromArray(F, y, y0 + 3 * L);
        FloatVector b0 = FloatVector.fromArray(F, y, y1);
        FloatVector b1 = FloatVector.fromArray(F, y, y1 + L);
        FloatVector b2 = FloatVector.fromArray(F, y, y1 + 2 * L);
        FloatVector b3 = FloatVector.fromArray(F, y, y1 + 3 * L);
        for (int i = 0; i < k; i++) {
            long q = at + (long) i * ROW;
            FloatVector w0 = FloatVector.fromMemorySegment(F, panel, q, LE);
            FloatVector w1 = FloatVector.fromMemorySegment(F, panel, q + BYTES, LE);
            FloatVector w2 = FloatVector.fromMemorySegment(F, panel, q + 2 * BYTES, LE);
            FloatVector w3 = FloatVector.fromMemorySegment(F, panel, q + 3 * BYTES, LE);
            FloatVector t = FloatVector.broadcast(F, x[x0 + i]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            a2 = w2.fma(t, a2);
            a3 = w3.fma(t, a3);
            t = FloatVector.broadcast(F, x[x1 + i]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            b2 = w2.fma(t, b2);
            b3 = w3.fma(t, b3);
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
}
