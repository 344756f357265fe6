package dev.remora.core.kernel;

import static dev.remora.core.kernel.RowReference.fma;

/** The specification of {@link AttentionKernels}: same signatures, same order of every sum, no Vector API. */
final class AttentionReference {
    private static final int LANES = RowReference.LANES;
    private static final int TILE = Kernels.TILE;

    private AttentionReference() {}

    static void multiplyNarrow(float[] panel, int p, float[] x, int xAt, int rows, float[] y, int yAt) {
        for (int row = 0; row < rows; row++) {
            for (int c = 0; c < LANES; c++) {
                float a = y[yAt + row * LANES + c];
                for (int i = 0; i < TILE; i++) {
                    a = fma(panel[p + i * LANES + c], x[xAt + row * TILE + i], a);
                }
                y[yAt + row * LANES + c] = a;
            }
        }
    }

    static void multiplyWide(float[] panel, int p, int k, float[] x, int xAt, int rows, float[] y, int yAt) {
        for (int row = 0; row < rows; row++) {
            for (int c = 0; c < TILE; c++) {
                float a = y[yAt + row * TILE + c];
                for (int i = 0; i < k; i++) {
                    a = fma(panel[p + i * TILE + c], x[xAt + i * LANES + row], a);
                }
                y[yAt + row * TILE + c] = a;
            }
        }
    }
}
