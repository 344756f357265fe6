package dev.remora.core.kernel;

import static dev.remora.core.kernel.RowReference.fma;

/** The specification of {@link PanelKernels}: same signatures, same order of every sum, no Vector API. */
final class PanelReference {
    private PanelReference() {}

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
        for (int c = 0; c < width; c++) {
            float a = y[y0 + c];
            float b = y[y1 + c];
            float d = y[y2 + c];
            float e = y[y3 + c];
            for (int i = 0; i < k; i++) {
                float w = panel[p + i * stride + c];
                a = fma(w, x[x0 + i], a);
                b = fma(w, x[x1 + i], b);
                d = fma(w, x[x2 + i], d);
                e = fma(w, x[x3 + i], e);
            }
            y[y0 + c] = a;
            y[y1 + c] = b;
            y[y2 + c] = d;
            y[y3 + c] = e;
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
        for (int c = 0; c < width; c++) {
            float a = 0;
            float b = 0;
            float d = 0;
            float e = 0;
            for (int i = 0; i < k; i++) {
                float w = panel[p + i * stride + c];
                a = fma(w, x[x0 + i], a);
                b = fma(w, x[x1 + i], b);
                d = fma(w, x[x2 + i], d);
                e = fma(w, x[x3 + i], e);
            }
            float factor = scale[s + c];
            a = fma(a, factor, y[y0 + c]);
            b = fma(b, factor, y[y1 + c]);
            d = fma(d, factor, y[y2 + c]);
            e = fma(e, factor, y[y3 + c]);
            y[y0 + c] = a;
            y[y1 + c] = b;
            y[y2 + c] = d;
            y[y3 + c] = e;
        }
    }
}
