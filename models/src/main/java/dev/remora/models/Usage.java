package dev.remora.models;

import java.time.Duration;

/**
 * What a generation took. Times count the work and the wait for other sessions' steps, not the time that the caller
 * spends between two events.
 *
 * @param promptTokens tokens that the session held when the first token was chosen
 * @param cachedTokens of them, those that needed no work because the session held them before
 * @param generatedTokens ids chosen, the stop token included
 * @param timeToFirstToken from the first request for an event to the first chosen id; zero if there is none
 * @param promptTime spent on the prompt
 * @param generationTime spent on the tokens after the first
 */
public record Usage(
        int promptTokens,
        int cachedTokens,
        int generatedTokens,
        Duration timeToFirstToken,
        Duration promptTime,
        Duration generationTime) {

    /** Prompt tokens per second of prompt time, those from the cache not counted; 0 if there was no such work. */
    public double promptTokensPerSecond() {
        return rate(promptTokens - cachedTokens, promptTime);
    }

    /** Tokens after the first per second of generation time; 0 if there was no second token. */
    public double generatedTokensPerSecond() {
        return rate(Math.max(0, generatedTokens - 1), generationTime);
    }

    private static double rate(int tokens, Duration time) {
        return time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
    }
}
