package dev.remora.bench;

import dev.remora.bench.support.AttentionWeights;
import dev.remora.bench.support.Plain;
import dev.remora.core.StoredMatrix;
import dev.remora.mla.MlaConfig;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Multi-head latent attention of one row (arXiv:2405.04434, (9) to (18)), in double, over a cache that is given. Keys and
 * values are those of the expanded form; where W_UK and W_UV stand in the products does not matter without rounding.
 */
final class AttentionSpecification {
    private final AttentionWeights weights;
    private final MlaConfig config;
    private final double theta;

    AttentionSpecification(AttentionWeights weights, double theta) {
        this.weights = weights;
        this.config = weights.config();
        this.theta = theta;
    }

    /** What the row adds to the cache, before it is rounded: the normalised latent, then the rotated key. */
    double[] latent(double[] x, int position) {
        double[] latent = Plain.multiply(weights.kvA(), x);
        Plain.normalize(latent, config.kvLoraRank(), weights.kvNorm());
        rotate(latent, config.kvLoraRank(), position);
        return latent;
    }

    /**
     * The output of a row.
     *
     * @param cache latents and rotated keys of all positions up to and with the row's own
     */
    double[] output(double[] x, int position, float[][] cache) {
        double[] input = x;
        if (weights.qA() != null) {
            input = Plain.multiply(weights.qA(), x);
            Plain.normalize(input, input.length, weights.qNorm());
        }
        double[] queries = Plain.multiply(weights.q(), input);
        double[] attended = IntStream.range(0, config.numAttentionHeads())
                .parallel()
                .mapToObj(head -> head(head, queries, position, cache))
                .flatMapToDouble(Arrays::stream)
                .toArray();
        return Plain.multiply(weights.o(), attended);
    }

    private double[] head(int head, double[] queries, int position, float[][] cache) {
        int c = config.kvLoraRank();
        int at = head * config.qkHeadDim();
        double[] q = Arrays.copyOfRange(queries, at, at + config.qkHeadDim());
        rotate(q, config.qkNopeHeadDim(), position);
        double[] query = new double[config.cacheWidth()];
        StoredMatrix keyUp = weights.keyUp(head);
        for (int i = 0; i < keyUp.rows(); i++) {
            double[] row = Plain.row(keyUp, i);
            for (int j = 0; j < c; j++) {
                query[j] += q[i] * row[j];
            }
        }
        System.arraycopy(q, config.qkNopeHeadDim(), query, c, config.qkRopeHeadDim());
        double[] p = new double[position + 1];
        for (int j = 0; j <= position; j++) {
            for (int i = 0; i < query.length; i++) {
                p[j] += query[i] * cache[j][i];
            }
            p[j] *= config.softmaxScale();
        }
        double max = Arrays.stream(p).max().getAsDouble();
        double sum = Arrays.stream(p).map(score -> Math.exp(score - max)).sum();
        double[] latent = new double[c];
        for (int j = 0; j <= position; j++) {
            double weight = Math.exp(p[j] - max) / sum;
            for (int i = 0; i < c; i++) {
                latent[i] += weight * cache[j][i];
            }
        }
        return Plain.multiply(weights.valueUp(head), latent);
    }

    private void rotate(double[] x, int at, int position) {
        int r = config.qkRopeHeadDim();
        for (int i = 0; i < r; i += 2) {
            double angle = position * Math.pow(theta, -(double) i / r);
            double even = x[at + i];
            double odd = x[at + i + 1];
            x[at + i] = even * Math.cos(angle) - odd * Math.sin(angle);
            x[at + i + 1] = even * Math.sin(angle) + odd * Math.cos(angle);
        }
    }

    /** Terms of all sums that one output goes through. */
    int terms(int position) {
        return config.hiddenSize()
                + config.qLoraRank()
                + config.qkNopeHeadDim()
                + config.cacheWidth()
                + position
                + config.kvLoraRank()
                + config.numAttentionHeads() * config.vHeadDim();
    }
}
