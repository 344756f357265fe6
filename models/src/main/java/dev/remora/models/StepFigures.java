package dev.remora.models;

import dev.remora.models.transformer.StepClock;
import dev.remora.models.transformer.StepClock.Phase;

/** One step in numbers: what passed the model, where the time went, what the caches hold. Used again for each step. */
public final class StepFigures {
    private final StepClock clock;
    private int rows;
    private int sequences;
    private long nanos;
    private long cachePages;
    private long cacheBytes;

    StepFigures(StepClock clock) {
        this.clock = clock;
    }

    void set(int newRows, int newSequences, long newNanos, long pages, long bytes) {
        rows = newRows;
        sequences = newSequences;
        nanos = newNanos;
        cachePages = pages;
        cacheBytes = bytes;
    }

    /** Tokens that passed the model. */
    public int rows() {
        return rows;
    }

    /** Sequences that they belong to. */
    public int sequences() {
        return sequences;
    }

    /** The whole step, the logits included. */
    public long nanos() {
        return nanos;
    }

    /** Attention of all layers, with its projections and the cache. */
    public long attentionNanos() {
        return clock.nanos(Phase.ATTENTION);
    }

    /** Routers of all layers. */
    public long routerNanos() {
        return clock.nanos(Phase.ROUTER);
    }

    /** Experts of all layers, shared and routed, and dense networks. */
    public long feedForwardNanos() {
        return clock.nanos(Phase.FEED_FORWARD);
    }

    /** Logits. */
    public long headNanos() {
        return clock.nanos(Phase.HEAD);
    }

    /** Embedding, norms and the residual stream. */
    public long otherNanos() {
        return clock.nanos(Phase.OTHER);
    }

    /** Pages of cache that all sequences of the model hold. */
    public long cachePages() {
        return cachePages;
    }

    /** Bytes of these pages. */
    public long cacheBytes() {
        return cacheBytes;
    }
}
