package dev.remora.models.bench;

/**
 * One thing that is timed.
 *
 * @param kind   what happens
 * @param tokens of a prompt; or to generate, for each sequence
 * @param depth  cached positions of each sequence at the start
 * @param batch  sequences that run together, one row each in a step; 1 for prompts
 */
public record Workload(Kind kind, int tokens, int depth, int batch) {
    /** What is done with the tokens. */
    public enum Kind {
        /** They enter together, in steps of as many rows as the engine takes. */
        PROMPT,
        /** They are made one after the other. */
        GENERATE
    }

    /** As people write it: {@code pp512}, {@code tg128}. */
    public String name() {
        return (kind == Kind.PROMPT ? "pp" : "tg") + tokens;
    }

    /** Positions that its sequences hold in the end. */
    long positions() {
        return (long) batch * (depth + tokens);
    }

    @Override
    public String toString() {
        return name() + " at depth " + depth + (batch > 1 ? ", " + batch + " sequences" : "");
    }
}
