package dev.remora.core.sampling;

import java.util.Map;

/**
 * How the next token is chosen. {@link Sampler} applies the parts in the order in which they stand here, logit bias
 * first. Immutable; {@link #greedy()} and {@link #defaults()} are the usual starts, the {@code with} methods change one
 * part.
 *
 * @param temperature divides the logits; 0 takes the most probable token, the lowest id among equals
 * @param topK how many tokens may be drawn, the most probable; 0: all
 * @param topP the smallest set of most probable tokens whose probabilities reach this sum may be drawn; 1: all
 * @param minP tokens less probable than this share of the most probable one are not drawn; 0: all are
 * @param repetitionPenalty divides the positive and multiplies the negative logits of ids seen in prompt or answer; 1:
 *     off
 * @param frequencyPenalty is subtracted once for every time that the id was generated; 0: off
 * @param presencePenalty is subtracted once from ids that were generated; 0: off
 * @param logitBias is added to the logits of these ids; {@link Float#NEGATIVE_INFINITY} forbids an id
 * @param seed the same seed gives the same ids for the same logits; {@link #RANDOM_SEED}: another one for each
 *     generation
 */
public record SamplingParams(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float frequencyPenalty,
        float presencePenalty,
        Map<Integer, Float> logitBias,
        long seed) {

    /** The seed that stands for a fresh one, drawn for each generation. */
    public static final long RANDOM_SEED = -1;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if an option is out of its range; the message names it, the range and the value
     */
    public SamplingParams {
        require(temperature >= 0 && temperature <= Float.MAX_VALUE, "temperature", "0 or more", temperature);
        require(topK >= 0, "topK", "0 (all tokens) or more", topK);
        require(topP > 0 && topP <= 1, "topP", "more than 0, at most 1", topP);
        require(minP >= 0 && minP <= 1, "minP", "0 to 1", minP);
        require(
                repetitionPenalty >= 0.1f && repetitionPenalty <= 10,
                "repetitionPenalty",
                "0.1 to 10",
                repetitionPenalty);
        require(frequencyPenalty >= -2 && frequencyPenalty <= 2, "frequencyPenalty", "-2 to 2", frequencyPenalty);
        require(presencePenalty >= -2 && presencePenalty <= 2, "presencePenalty", "-2 to 2", presencePenalty);
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((id, bias) -> {
            require(id >= 0, "logitBias", "token ids of 0 or more", id);
            require(
                    (bias >= -100 && bias <= 100) || bias == Float.NEGATIVE_INFINITY,
                    "logitBias of token " + id,
                    "-100 to 100, or minus infinity to forbid the token",
                    bias);
        });
    }

    /** The most probable token always. */
    public static SamplingParams greedy() {
        return new SamplingParams(0, 0, 1, 0, 1, 0, 0, Map.of(), RANDOM_SEED);
    }

    /** The model's own distribution: temperature 1, nothing cut off, a fresh seed. */
    public static SamplingParams defaults() {
        return greedy().withTemperature(1);
    }

    /** True if no chance is involved. */
    public boolean isGreedy() {
        return temperature == 0;
    }

    public SamplingParams withTemperature(float value) {
        return new SamplingParams(
                value, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, logitBias, seed);
    }

    public SamplingParams withTopK(int value) {
        return new SamplingParams(
                temperature, value, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, logitBias, seed);
    }

    public SamplingParams withTopP(float value) {
        return new SamplingParams(
                temperature, topK, value, minP, repetitionPenalty, frequencyPenalty, presencePenalty, logitBias, seed);
    }

    public SamplingParams withMinP(float value) {
        return new SamplingParams(
                temperature, topK, topP, value, repetitionPenalty, frequencyPenalty, presencePenalty, logitBias, seed);
    }

    public SamplingParams withRepetitionPenalty(float value) {
        return new SamplingParams(
                temperature, topK, topP, minP, value, frequencyPenalty, presencePenalty, logitBias, seed);
    }

    public SamplingParams withFrequencyPenalty(float value) {
        return new SamplingParams(
                temperature, topK, topP, minP, repetitionPenalty, value, presencePenalty, logitBias, seed);
    }

    public SamplingParams withPresencePenalty(float value) {
        return new SamplingParams(
                temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, value, logitBias, seed);
    }

    public SamplingParams withLogitBias(Map<Integer, Float> value) {
        return new SamplingParams(
                temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, value, seed);
    }

    public SamplingParams withSeed(long value) {
        return new SamplingParams(
                temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, logitBias, value);
    }

    /**
     * These parameters with {@link #RANDOM_SEED} replaced by a seed drawn now, so that it can be reported and reused.
     */
    public SamplingParams withDrawnSeed() {
        return seed == RANDOM_SEED ? withSeed(SplitMix64.freshSeed()) : this;
    }

    private static void require(boolean holds, String option, String range, Object found) {
        if (!holds) {
            throw new IllegalArgumentException(option + ": expected " + range + ", found " + found);
        }
    }
}
