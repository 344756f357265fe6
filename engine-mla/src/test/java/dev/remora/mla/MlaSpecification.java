package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;

/**
 * Multi-head latent attention as its equations stand (arXiv:2405.04434, (9) to (18)), in double, without a cache: the
 * rows of one sequence from its first position.
 */
final class MlaSpecification {
    private final MlaFixture fixture;
    private final MlaConfig config;
    private final int positions;

    /** For each head and position: the query, the key, both with their rotated part, and the value. */
    private final double[][][] queries;

    private final double[][][] keys;
    private final double[][][] values;

    /** For each position its output, (hidden). */
    final double[][] outputs;

    /** For each position the least distance, over the heads, between the largest score and the next. */
    final double[] smallestGap;

    MlaSpecification(MlaFixture fixture, float[] h) {
        this.fixture = fixture;
        this.config = fixture.config;
        int d = config.hiddenSize();
        int heads = config.numAttentionHeads();
        positions = h.length / d;
        queries = new double[heads][positions][];
        keys = new double[heads][positions][];
        values = new double[heads][positions][];
        outputs = new double[positions][];
        smallestGap = new double[positions];
        for (int position = 0; position < positions; position++) {
            double[] x = new double[d];
            for (int i = 0; i < d; i++) {
                x[i] = h[position * d + i];
            }
            project(x, position);
        }
        for (int position = 0; position < positions; position++) {
            attend(position);
        }
    }

    private void project(double[] x, int position) {
        int c = config.kvLoraRank();
        int nope = config.qkNopeHeadDim();
        double[] input = x;
        if (config.qLoraRank() > 0) {
            input = normalize(multiply(fixture.qA, 0, config.qLoraRank(), x, fixture.qABias), fixture.qNorm);
        }
        double[] q = multiply(fixture.q, 0, config.numAttentionHeads() * config.qkHeadDim(), input, new float[0]);
        double[] kv = multiply(fixture.kvA, 0, config.cacheWidth(), x, fixture.kvABias);
        double[] latent = normalize(Arrays.copyOf(kv, c), fixture.kvNorm);
        rotate(kv, c, position);
        for (int head = 0; head < config.numAttentionHeads(); head++) {
            int at = head * config.qkHeadDim();
            rotate(q, at + nope, position);
            queries[head][position] = Arrays.copyOfRange(q, at, at + config.qkHeadDim());
            int up = head * config.kvUpHeadDim();
            double[] key = Arrays.copyOf(multiply(fixture.kvB, up, nope, latent, new float[0]), config.qkHeadDim());
            System.arraycopy(kv, c, key, nope, config.qkRopeHeadDim());
            keys[head][position] = key;
            values[head][position] = multiply(fixture.kvB, up + nope, config.vHeadDim(), latent, new float[0]);
        }
    }

    private void attend(int position) {
        int v = config.vHeadDim();
        double[] attended = new double[config.numAttentionHeads() * v];
        smallestGap[position] = Double.POSITIVE_INFINITY;
        for (int head = 0; head < config.numAttentionHeads(); head++) {
            double[] p = new double[position + 1];
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j <= position; j++) {
                for (int i = 0; i < config.qkHeadDim(); i++) {
                    p[j] += queries[head][position][i] * keys[head][j][i];
                }
                p[j] *= config.softmaxScale();
                smallestGap[position] = Math.min(smallestGap[position], Math.abs(p[j] - max));
                max = Math.max(max, p[j]);
            }
            double sum = 0;
            for (int j = 0; j <= position; j++) {
                p[j] = Math.exp(p[j] - max);
                sum += p[j];
            }
            for (int j = 0; j <= position; j++) {
                for (int i = 0; i < v; i++) {
                    attended[head * v + i] += p[j] / sum * values[head][j][i];
                }
            }
        }
        outputs[position] = multiply(fixture.o, 0, config.hiddenSize(), attended, fixture.oBias);
    }

    /** Interleaved: the pair (2i, 2i + 1) turns by position * theta^(-2i/r). */
    private void rotate(double[] x, int at, int position) {
        int r = config.qkRopeHeadDim();
        for (int i = 0; i < r; i += 2) {
            double angle = position * Math.pow(MlaFixture.THETA, -(double) i / r);
            double even = x[at + i];
            double odd = x[at + i + 1];
            x[at + i] = even * Math.cos(angle) - odd * Math.sin(angle);
            x[at + i + 1] = even * Math.sin(angle) + odd * Math.cos(angle);
        }
    }

    private static double[] multiply(float[] matrix, int firstRow, int rows, double[] x, float[] bias) {
        double[] y = new double[rows];
        for (int row = 0; row < rows; row++) {
            int at = (firstRow + row) * x.length;
            double sum = bias.length > 0 ? bias[row] : 0;
            for (int i = 0; i < x.length; i++) {
                sum += matrix[at + i] * x[i];
            }
            y[row] = sum;
        }
        return y;
    }

    private static double[] normalize(double[] x, float[] weight) {
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double factor = 1 / Math.sqrt(squares / x.length + MlaFixture.EPSILON);
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = x[i] * factor * weight[i];
        }
        return y;
    }

    /**
     * What rounding may do, as a share of the largest output: one output goes through sums of this many terms in all,
     * and an f32 sum of n terms errs, but for rare luck, by lambda * sqrt(n) * 2^-24 (Higham and Mary, SIAM J. Sci.
     * Comput. 41, 2019). With lambda = 8 none of the million sums of a test should be so unlucky.
     */
    double tolerance() {
        int terms = config.hiddenSize()
                + config.qLoraRank()
                + config.qkNopeHeadDim()
                + config.cacheWidth()
                + positions
                + config.kvLoraRank()
                + config.numAttentionHeads() * config.vHeadDim();
        return 8 * Math.sqrt(terms) * 0x1p-24;
    }

    /** Compares the rows of a step with the outputs of the positions from {@code first} on. */
    void assertRows(float[] actual, int first, String message) {
        int d = config.hiddenSize();
        for (int row = 0; row < actual.length / d; row++) {
            double[] expected = outputs[first + row];
            double bound =
                    tolerance() * Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            for (int i = 0; i < d; i++) {
                assertEquals(
                        expected[i],
                        actual[row * d + i],
                        bound,
                        message + ": position " + (first + row) + ", value " + i);
            }
        }
    }
}
