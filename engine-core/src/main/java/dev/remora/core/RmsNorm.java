package dev.remora.core;

import dev.remora.core.kernel.Kernels;

/** y = weight * x / sqrt(mean(x^2) + epsilon) (arXiv:1910.07467). */
public final class RmsNorm {
    private final float[] weight;
    private final double epsilon;

    public RmsNorm(float[] weight, double epsilon) {
        this.weight = weight;
        this.epsilon = epsilon;
    }

    /** Normalises the first {@code weight.length} columns of every row of x into y, which may be x. */
    public void forward(Rows x, Rows y, Scratch scratch) {
        for (int row = 0; row < x.count(); row++) {
            forward(x, y, row, scratch);
        }
    }

    /** As {@link #forward(Rows, Rows, Scratch)}, for one row. */
    public void forward(Rows x, Rows y, int row, Scratch scratch) {
        Kernels.rmsNorm(
                x.data(), x.offset(row), weight, epsilon, y.data(), y.offset(row), weight.length, scratch.partial());
    }

    /** Normalises {@code weight.length} values in place. */
    public void forward(float[] x, int xAt, Scratch scratch) {
        Kernels.rmsNorm(x, xAt, weight, epsilon, x, xAt, weight.length, scratch.partial());
    }
}
