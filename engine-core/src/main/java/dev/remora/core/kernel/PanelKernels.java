package dev.remora.core.kernel;

import static dev.remora.core.kernel.VectorShapes.F;

import jdk.incubator.vector.FloatVector;

/**
 * The register-tiled multiplication that everything with more than one row goes through: an f32 panel (k, width) times
 * four rows. Eight accumulators, because twelve spill on a CPU with 16 vector registers.
 */
final class PanelKernels {
    private static final int L = F.length();

    private PanelKernels() {}

    static void multiply(
            float[] panel,
            int p,
            int stride,
            int width,
            int k,
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
        int c = 0;
        for (; c + 2 * L <= width; c += 2 * L) {
            tile2(panel, p + c, stride, k, x, x0, x1, x2, x3, y, y0 + c, y1 + c, y2 + c, y3 + c);
        }
        for (; c < width; c += L) {
            tile1(panel, p + c, stride, k, x, x0, x1, x2, x3, y, y0 + c, y1 + c, y2 + c, y3 + c);
        }
    }

    static void multiplyScaled(
            float[] panel,
            int p,
            int stride,
            int width,
            int k,
            float[] scale,
            int s,
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
        int c = 0;
        for (; c + 2 * L <= width; c += 2 * L) {
            scaledTile2(panel, p + c, stride, k, scale, s + c, x, x0, x1, x2, x3, y, y0 + c, y1 + c, y2 + c, y3 + c);
        }
        for (; c < width; c += L) {
            scaledTile1(panel, p + c, stride, k, scale, s + c, x, x0, x1, x2, x3, y, y0 + c, y1 + c, y2 + c, y3 + c);
        }
    }

    private static void tile2(
            float[] panel,
            int p,
            int stride,
            int k,
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
        FloatVector a0 = FloatVector.fromArray(F, y, y0);
        FloatVector a1 = FloatVector.fromArray(F, y, y0 + L);
        FloatVector b0 = FloatVector.fromArray(F, y, y1);
        FloatVector b1 = FloatVector.fromArray(F, y, y1 + L);
        FloatVector c0 = FloatVector.fromArray(F, y, y2);
        FloatVector c1 = FloatVector.fromArray(F, y, y2 + L);
        FloatVector d0 = FloatVector.fromArray(F, y, y3);
        FloatVector d1 = FloatVector.fromArray(F, y, y3 + L);
        for (int i = 0; i < k; i++) {
            int q = p + i * stride;
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
        a0.intoArray(y, y0);
        a1.intoArray(y, y0 + L);
        b0.intoArray(y, y1);
        b1.intoArray(y, y1 + L);
        c0.intoArray(y, y2);
        c1.intoArray(y, y2 + L);
        d0.intoArray(y, y3);
        d1.intoArray(y, y3 + L);
    }

    private static void tile1(
            float[] panel,
            int p,
            int stride,
            int k,
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
        FloatVector a = FloatVector.fromArray(F, y, y0);
        FloatVector b = FloatVector.fromArray(F, y, y1);
        FloatVector c = FloatVector.fromArray(F, y, y2);
        FloatVector d = FloatVector.fromArray(F, y, y3);
        for (int i = 0; i < k; i++) {
            FloatVector w = FloatVector.fromArray(F, panel, p + i * stride);
            a = w.fma(FloatVector.broadcast(F, x[x0 + i]), a);
            b = w.fma(FloatVector.broadcast(F, x[x1 + i]), b);
            c = w.fma(FloatVector.broadcast(F, x[x2 + i]), c);
            d = w.fma(FloatVector.broadcast(F, x[x3 + i]), d);
        }
        a.intoArray(y, y0);
        b.intoArray(y, y1);
        c.intoArray(y, y2);
        d.intoArray(y, y3);
    }

    private static void scaledTile2(
            float[] panel,
            int p,
            int stride,
            int k,
            float[] scale,
            int s,
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
        for (int i = 0; i < k; i++) {
            int q = p + i * stride;
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
        FloatVector s0 = FloatVector.fromArray(F, scale, s);
        FloatVector s1 = FloatVector.fromArray(F, scale, s + L);
        // The four rows may be the same row (a last group of less than four): read all before writing any.
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

    private static void scaledTile1(
            float[] panel,
            int p,
            int stride,
            int k,
            float[] scale,
            int s,
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
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (int i = 0; i < k; i++) {
            FloatVector w = FloatVector.fromArray(F, panel, p + i * stride);
            a = w.fma(FloatVector.broadcast(F, x[x0 + i]), a);
            b = w.fma(FloatVector.broadcast(F, x[x1 + i]), b);
            c = w.fma(FloatVector.broadcast(F, x[x2 + i]), c);
            d = w.fma(FloatVector.broadcast(F, x[x3 + i]), d);
        }
        FloatVector factor = FloatVector.fromArray(F, scale, s);
        a = factor.fma(a, FloatVector.fromArray(F, y, y0));
        b = factor.fma(b, FloatVector.fromArray(F, y, y1));
        c = factor.fma(c, FloatVector.fromArray(F, y, y2));
        d = factor.fma(d, FloatVector.fromArray(F, y, y3));
        a.intoArray(y, y0);
        b.intoArray(y, y1);
        c.intoArray(y, y2);
        d.intoArray(y, y3);
    }
}
