package dev.remora.models;

import java.time.Duration;

/** Times the steps of one generation. */
final class Stopwatch {
    private final long created = System.nanoTime();
    private long promptNanos;
    private long generationNanos;
    private long firstTokenNanos;

    /** The work of one event is done, which began at {@code start} of {@link System#nanoTime()}. */
    void step(long start, int generatedTokens) {
        long now = System.nanoTime();
        if (generatedTokens <= 1) {
            promptNanos += now - start;
        } else {
            generationNanos += now - start;
        }
        if (generatedTokens == 1) {
            firstTokenNanos = now - created;
        }
    }

    Usage usage(int promptTokens, int cachedTokens, int generatedTokens) {
        return new Usage(
                promptTokens,
                cachedTokens,
                generatedTokens,
                Duration.ofNanos(firstTokenNanos),
                Duration.ofNanos(promptNanos),
                Duration.ofNanos(generationNanos));
    }
}
