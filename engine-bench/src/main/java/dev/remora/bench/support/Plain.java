package dev.remora.bench.support;

import dev.remora.core.StoredMatrix;
import java.util.stream.IntStream;

/** Textbook arithmetic in double, on matrices as checkpoints store them: what kernels are compared with. */
public final class Plain {
    /** Where models have no value of their own. */
    public static final double EPSILON = 1e-6;

    private Plain() {}

    /** Row {@code row} as doubles. */
    public static double[] row(StoredMatrix matrix, int row) {
        float[] values = new float[matrix.cols()];
        matrix.dequantizeRow(row, values, 0);
        return widen(values, 0, values.length);
    }

    public static double[] widen(float[] values, int from, int count) {
        return IntStream.range(from, from + count).mapToDouble(i -> values[i]).toArray();
    }

    public static double dot(double[] a, int aAt, double[] b, int bAt, int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += a[aAt + i] * b[bAt + i];
        }
        return sum;
    }

    /** Sum of |a_i * b_i|, which rounding errors of the product are measured by. */
    public static double magnitude(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.abs(a[i] * b[i]);
        }
        return sum;
    }

    /** W x. */
    public static double[] multiply(StoredMatrix matrix, double[] x) {
        return IntStream.range(0, matrix.rows())
                .parallel()
                .mapToDouble(row -> dot(row(matrix, row), 0, x, 0, x.length))
                .toArray();
    }

    public static double largest(double[] x) {
        double largest = 0;
        for (double value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    /** The first n values divided by their root mean square, times weight. */
    public static void normalize(double[] x, int n, float[] weight) {
        double factor = 1 / Math.sqrt(dot(x, 0, x, 0, n) / n + EPSILON);
        for (int i = 0; i < n; i++) {
            x[i] *= factor * weight[i];
        }
    }

    public static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }
}
