package dev.remora.moe;

import dev.remora.core.SwiGlu;

/** The sparse layer as the paper writes it, (12)-(16): one row, plain loops, double. */
final class MoeSpecification {
    private MoeSpecification() {}

    static RouterSpecification.Choice route(MoeFixture moe, float[] x, int row) {
        double[] logits = multiply(MoeFixture.decode(moe.gate), row(x, row, moe.config.hiddenSize()));
        float[] rounded = new float[logits.length];
        for (int i = 0; i < logits.length; i++) {
            rounded[i] = (float) logits[i];
        }
        return RouterSpecification.route(moe.config, rounded, moe.bias);
    }

    static double[] forward(MoeFixture moe, float[] x, int row) {
        double[] h = row(x, row, moe.config.hiddenSize());
        double[] out = new double[h.length];
        moe.shared.ifPresent(shared -> addScaled(1, network(shared, h), out));
        RouterSpecification.Choice choice = route(moe, x, row);
        for (int rank = 0; rank < choice.experts().size(); rank++) {
            addScaled(
                    choice.weights().get(rank),
                    network(moe.experts.get(choice.experts().get(rank)), h),
                    out);
        }
        return out;
    }

    private static double[] network(SwiGlu network, double[] h) {
        double[] gate = multiply(MoeFixture.decode(network.gate()), h);
        double[] up = multiply(MoeFixture.decode(network.up()), h);
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return multiply(MoeFixture.decode(network.down()), gate);
    }

    private static double[] multiply(float[][] matrix, double[] h) {
        double[] y = new double[matrix.length];
        for (int r = 0; r < y.length; r++) {
            for (int c = 0; c < h.length; c++) {
                y[r] += matrix[r][c] * h[c];
            }
        }
        return y;
    }

    private static void addScaled(double factor, double[] from, double[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] += factor * from[i];
        }
    }

    private static double[] row(float[] x, int row, int width) {
        double[] values = new double[width];
        for (int i = 0; i < width; i++) {
            values[i] = x[row * width + i];
        }
        return values;
    }
}
