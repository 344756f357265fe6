package dev.remora.core.kernel;

import static dev.remora.core.kernel.VectorShapes.F;

import jdk.incubator.vector.FloatVector;

/**
 * As {@link TileKernels}, for panels on the heap whose sum starts from zero and is scaled before it is
 * added.
 */
final class ScaledTileKernels {

    private static final int L = F.length();

    private static final int TILE = Kernels.TILE;

    private ScaledTileKernels() {}

    static void multiply(
            float[] panel,
            int at,
            int k,
            float[] scale,
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
                    scaled6x4(panel, at, k, scale, 0, x, xAt, xColumn, y, yAt, yColumn, row);
                } else {
                    for (int lane = 0; lane < TILE; lane += 2 * L) {
                        scaled6x2(panel, at + lane, k, scale, lane, x, xAt, xColumn, y, yAt, yColumn + lane, row);
                    }
                }
                row += 6;
            } else if (left >= 4) {
                if (L == 16) {
                    scaled4x4(panel, at, k, scale, 0, x, xAt, xColumn, y, yAt, yColumn, row);
                } else {
                    for (int lane = 0; lane < TILE; lane += 2 * L) {
                        scaled4x2(panel, at + lane, k, scale, lane, x, xAt, xColumn, y, yAt, yColumn + lane, row);
                    }
                }
                row += 4;
            } else {
                for (int lane = 0; lane < TILE; lane += 4 * L) {
                    scaled2x4(
                            panel,
                            at + lane,
                            k,
                            scale,
                            lane,
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

    private static void scaled6x4(
            float[] panel,
            int at,
            int k,
            float[] scale,
            int lane,
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
        FloatVector e0 = a0;
        FloatVector e1 = a0;
        FloatVector e2 = a0;
        FloatVector e3 = a0;
        FloatVector f0 = a0;
        FloatVector f1 = a0;
        FloatVector f2 = a0;
        FloatVector f3 = a0;
        for (int i = 0; i < k; i++) {
            int q = at + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
            FloatVector w2 = FloatVector.fromArray(F, panel, q + 2 * L);
            FloatVector w3 = FloatVector.fromArray(F, panel, q + 3 * L);
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
        FloatVector s0 = FloatVector.fromArray(F, scale, lane);
        FloatVector s1 = FloatVector.fromArray(F, scale, lane + L);
        FloatVector s2 = FloatVector.fromArray(F, scale, lane + 2 * L);
        FloatVector s3 = FloatVector.fromArray(F, scale, lane + 3 * L);
        a0 = s0.fma(a0, FloatVector.fromArray(F, y, y0));
        a1 = s1.fma(a1, FloatVector.fromArray(F, y, y0 + L));
        a2 = s2.fma(a2, FloatVector.fromArray(F, y, y0 + 2 * L));
        a3 = s3.fma(a3, FloatVector.fromArray(F, y, y0 + 3 * L));
        b0 = s0.fma(b0, FloatVector.fromArray(F, y, y1));
        b1 = s1.fma(b1, FloatVector.fromArray(F, y, y1 + L));
        b2 = s2.fma(b2, FloatVector.fromArray(F, y, y1 + 2 * L));
        b3 = s3.fma(b3, FloatVector.fromArray(F, y, y1 + 3 * L));
        c0 = s0.fma(c0, FloatVector.fromArray(F, y, y2));
        c1 = s1.fma(c1, FloatVector.fromArray(F, y, y2 + L));
        c2 = s2.fma(c2, FloatVector.fromArray(F, y, y2 + 2 * L));
        c3 = s3.fma(c3, FloatVector.fromArray(F, y, y2 + 3 * L));
        d0 = s0.fma(d0, FloatVector.fromArray(F, y, y3));
        d1 = s1.fma(d1, FloatVector.fromArray(F, y, y3 + L));
        d2 = s2.fma(d2, FloatVector.fromArray(F, y, y3 + 2 * L));
        d3 = s3.fma(d3, FloatVector.fromArray(F, y, y3 + 3 * L));
        e0 = s0.fma(e0, FloatVector.fromArray(F, y, y4));
        e1 = s1.fma(e1, FloatVector.fromArray(F, y, y4 + L));
        e2 = s2.fma(e2, FloatVector.fromArray(F, y, y4 + 2 * L));
        e3 = s3.fma(e3, FloatVector.fromArray(F, y, y4 + 3 * L));
        f0 = s0.fma(f0, FloatVector.fromArray(F, y, y5));
        f1 = s1.fma(f1, FloatVector.fromArray(F, y, y5 + L));
        f2 = s2.fma(f2, FloatVector.fromArray(F, y, y5 + 2 * L));
        f3 = s3.fma(f3, FloatVector.fromArray(F, y, y5 + 3 * L));
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

    private static void scaled6x2(
            float[] panel,
            int at,
            int k,
            float[] scale,
            int lane,
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
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        FloatVector e0 = a0;
        FloatVector e1 = a0;
        FloatVector f0 = a0;
        FloatVector f1 = a0;
        for (int i = 0; i < k; i++) {
            int q = at + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
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
        FloatVector s0 = FloatVector.fromArray(F, scale, lane);
        FloatVector s1 = FloatVector.fromArray(F, scale, lane + L);
        a0 = s0.fma(a0, FloatVector.fromArray(F, y, y0));
        a1 = s1.fma(a1, FloatVector.fromArray(F, y, y0 + L));
        b0 = s0.fma(b0, FloatVector.fromArray(F, y, y1));
        b1 = s1.fma(b1, FloatVector.fromArray(F, y, y1 + L));
        c0 = s0.fma(c0, FloatVector.fromArray(F, y, y2));
        c1 = s1.fma(c1, FloatVector.fromArray(F, y, y2 + L));
        d0 = s0.fma(d0, FloatVector.fromArray(F, y, y3));
        d1 = s1.fma(d1, FloatVector.fromArray(F, y, y3 + L));
        e0 = s0.fma(e0, FloatVector.fromArray(F, y, y4));
        e1 = s1.fma(e1, FloatVector.fromArray(F, y, y4 + L));
        f0 = s0.fma(f0, FloatVector.fromArray(F, y, y5));
        f1 = s1.fma(f1, FloatVector.fromArray(F, y, y5 + L));
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

    private static void scaled4x4(
            float[] panel,
            int at,
            int k,
            float[] scale,
            int lane,
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
        for (int i = 0; i < k; i++) {
            int q = at + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
            FloatVector w2 = FloatVector.fromArray(F, panel, q + 2 * L);
            FloatVector w3 = FloatVector.fromArray(F, panel, q + 3 * L);
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
        FloatVector s0 = FloatVector.fromArray(F, scale, lane);
        FloatVector s1 = FloatVector.fromArray(F, scale, lane + L);
        FloatVector s2 = FloatVector.fromArray(F, scale, lane + 2 * L);
        FloatVector s3 = FloatVector.fromArray(F, scale, lane + 3 * L);
        a0 = s0.fma(a0, FloatVector.fromArray(F, y, y0));
        a1 = s1.fma(a1, FloatVector.fromArray(F, y, y0 + L));
        a2 = s2.fma(a2, FloatVector.fromArray(F, y, y0 + 2 * L));
        a3 = s3.fma(a3, FloatVector.fromArray(F, y, y0 + 3 * L));
        b0 = s0.fma(b0, FloatVector.fromArray(F, y, y1));
        b1 = s1.fma(b1, FloatVector.fromArray(F, y, y1 + L));
        b2 = s2.fma(b2, FloatVector.fromArray(F, y, y1 + 2 * L));
        b3 = s3.fma(b3, FloatVector.fromArray(F, y, y1 + 3 * L));
        c0 = s0.fma(c0, FloatVector.fromArray(F, y, y2));
        c1 = s1.fma(c1, FloatVector.fromArray(F, y, y2 + L));
        c2 = s2.fma(c2, FloatVector.fromArray(F, y, y2 + 2 * L));
        c3 = s3.fma(c3, FloatVector.fromArray(F, y, y2 + 3 * L));
        d0 = s0.fma(d0, FloatVector.fromArray(F, y, y3));
        d1 = s1.fma(d1, FloatVector.fromArray(F, y, y3 + L));
        d2 = s2.fma(d2, FloatVector.fromArray(F, y, y3 + 2 * L));
        d3 = s3.fma(d3, FloatVector.fromArray(F, y, y3 + 3 * L));
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

    private static void scaled4x2(
            float[] panel,
            int at,
            int k,
            float[] scale,
            int lane,
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
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        for (int i = 0; i < k; i++) {
            int q = at + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
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
        FloatVector s0 = FloatVector.fromArray(F, scale, lane);
        FloatVector s1 = FloatVector.fromArray(F, scale, lane + L);
        a0 = s0.fma(a0, FloatVector.fromArray(F, y, y0));
        a1 = s1.fma(a1, FloatVector.fromArray(F, y, y0 + L));
        b0 = s0.fma(b0, FloatVector.fromArray(F, y, y1));
        b1 = s1.fma(b1, FloatVector.fromArray(F, y, y1 + L));
        c0 = s0.fma(c0, FloatVector.fromArray(F, y, y2));
        c1 = s1.fma(c1, FloatVector.fromArray(F, y, y2 + L));
        d0 = s0.fma(d0, FloatVector.fromArray(F, y, y3));
        d1 = s1.fma(d1, FloatVector.fromArray(F, y, y3 + L));
        a0.intoArray(y, y0);
        a1.intoArray(y, y0 + L);
        b0.intoArray(y, y1);
        b1.intoArray(y, y1 + L);
        c0.intoArray(y, y2);
        c1.intoArray(y, y2 + L);
        d0.intoArray(y, y3);
        d1.intoArray(y, y3 + L);
    }

    private static void scaled2x4(
            float[] panel,
            int at,
            int k,
            float[] scale,
            int lane,
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
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int i = 0; i < k; i++) {
            int q = at + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
            FloatVector w2 = FloatVector.fromArray(F, panel, q + 2 * L);
            FloatVector w3 = FloatVector.fromArray(F, panel, q + 3 * L);
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
        FloatVector s0 = FloatVector.fromArray(F, scale, lane);
        FloatVector s1 = FloatVector.fromArray(F, scale, lane + L);
        FloatVector s2 = FloatVector.fromArray(F, scale, lane + 2 * L);
        FloatVector s3 = FloatVector.fromArray(F, scale, lane + 3 * L);
        // Both rows may be the same one: all are read before any is written.
        a0 = s0.fma(a0, FloatVector.fromArray(F, y, y0));
        a1 = s1.fma(a1, FloatVector.fromArray(F, y, y0 + L));
        a2 = s2.fma(a2, FloatVector.fromArray(F, y, y0 + 2 * L));
        a3 = s3.fma(a3, FloatVector.fromArray(F, y, y0 + 3 * L));
        b0 = s0.fma(b0, FloatVector.fromArray(F, y, y1));
        b1 = s1.fma(b1, FloatVector.fromArray(F, y, y1 + L));
        b2 = s2.fma(b2, FloatVector.fromArray(F, y, y1 + 2 * L));
        b3 = s3.fma(b3, FloatVector.fromArray(F, y, y1 + 3 * L));
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
