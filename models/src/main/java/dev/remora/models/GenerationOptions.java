package dev.remora.models;

import dev.remora.core.sampling.SamplingParams;
import java.util.List;
import java.util.Objects;

/**
 * What to generate.
 *
 * @param sampling how each token is chosen
 * @param maxTokens ids to generate at most; 0: only run the prompt; {@link #UNLIMITED}: until the context is full
 * @param stopStrings texts that end the generation where they begin; they are not part of the text
 * @param stopTokenIds ids that end the generation beside the model's own end-of-sequence ids
 * @param ignoreEos true: the model's end-of-sequence ids are tokens like others
 */
public record GenerationOptions(
        SamplingParams sampling,
        int maxTokens,
        List<String> stopStrings,
        List<Integer> stopTokenIds,
        boolean ignoreEos) {

    /** No limit but the context. */
    public static final int UNLIMITED = Integer.MAX_VALUE;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if an option is out of its range; the message names it, the range and the value
     */
    public GenerationOptions {
        Objects.requireNonNull(sampling, "sampling");
        if (maxTokens < 0) {
            throw new IllegalArgumentException("maxTokens: expected 0 or more, found " + maxTokens);
        }
        stopStrings = List.copyOf(stopStrings);
        stopTokenIds = List.copyOf(stopTokenIds);
        if (stopStrings.contains("")) {
            throw new IllegalArgumentException(
                    "stopStrings: expected texts of at least one character, found an empty one");
        }
        for (int id : stopTokenIds) {
            if (id < 0) {
                throw new IllegalArgumentException("stopTokenIds: expected ids of 0 or more, found " + id);
            }
        }
    }

    /** The most probable token always, until the model ends or the context is full. */
    public static GenerationOptions greedy() {
        return new GenerationOptions(SamplingParams.greedy(), UNLIMITED, List.of(), List.of(), false);
    }

    /**
     * The model's own distribution, until the model ends or the context is full. {@link Llm#generationDefaults()} knows
     * better.
     */
    public static GenerationOptions defaults() {
        return greedy().withSampling(SamplingParams.defaults());
    }

    public GenerationOptions withSampling(SamplingParams value) {
        return new GenerationOptions(value, maxTokens, stopStrings, stopTokenIds, ignoreEos);
    }

    public GenerationOptions withMaxTokens(int value) {
        return new GenerationOptions(sampling, value, stopStrings, stopTokenIds, ignoreEos);
    }

    public GenerationOptions withStopStrings(List<String> value) {
        return new GenerationOptions(sampling, maxTokens, value, stopTokenIds, ignoreEos);
    }

    public GenerationOptions withStopStrings(String... values) {
        return withStopStrings(List.of(values));
    }

    public GenerationOptions withStopTokenIds(List<Integer> value) {
        return new GenerationOptions(sampling, maxTokens, stopStrings, value, ignoreEos);
    }

    public GenerationOptions withIgnoreEos(boolean value) {
        return new GenerationOptions(sampling, maxTokens, stopStrings, stopTokenIds, value);
    }
}
