package dev.remora.models;

import java.util.List;

/**
 * How probable the model finds a text.
 *
 * @param logProbabilities natural logarithms; entry {@code i} belongs to the scored id {@code i + 1} given all before
 *     it
 */
public record Score(List<Float> logProbabilities) {
    public Score {
        logProbabilities = List.copyOf(logProbabilities);
    }

    /** Mean log-probability per scored id. */
    public double mean() {
        return logProbabilities.stream()
                .mapToDouble(Float::doubleValue)
                .average()
                .orElse(Double.NaN);
    }

    /** {@code exp(-mean)}. */
    public double perplexity() {
        return Math.exp(-mean());
    }
}
