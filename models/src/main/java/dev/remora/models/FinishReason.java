package dev.remora.models;

/** Why a generation ended. */
public enum FinishReason {
    /** The model produced an end-of-sequence id, or one of the ids asked for. */
    STOP_TOKEN,
    /** The text reached one of the stop strings. */
    STOP_STRING,
    /** As many tokens were generated as were asked for. */
    MAX_TOKENS,
    /** The session holds no further token. */
    CONTEXT_FULL,
    /** {@code cancel()} was called, or the thread that asked for events was interrupted. */
    CANCELLED
}
