package dev.remora.models.transformer;

/**
 * Where the time of a step goes. Off unless started: then a lap costs one branch. One thread at a time; nothing is
 * allocated.
 */
public final class StepClock {
    /** What a step does, in this order in each layer. */
    public enum Phase {
        /** Projections, cache and attention. */
        ATTENTION,
        /** Which experts a row meets. */
        ROUTER,
        /** Experts, shared or routed, or a dense network. */
        FEED_FORWARD,
        /** Logits. */
        HEAD,
        /** Embedding, norms, residual stream. */
        OTHER
    }

    private long attention;
    private long router;
    private long feedForward;
    private long head;
    private long other;
    private boolean on;
    private long last;

    /** Begins a step; all phases are at zero. */
    public void start(boolean measured) {
        on = measured;
        if (on) {
            attention = 0;
            router = 0;
            feedForward = 0;
            head = 0;
            other = 0;
            last = System.nanoTime();
        }
    }

    /** What happened since the last lap was this. */
    public void lap(Phase phase) {
        if (on) {
            long now = System.nanoTime();
            long took = now - last;
            last = now;
            switch (phase) {
                case ATTENTION -> attention += took;
                case ROUTER -> router += took;
                case FEED_FORWARD -> feedForward += took;
                case HEAD -> head += took;
                case OTHER -> other += took;
            }
        }
    }

    /** Time of a phase in the step so far. */
    public long nanos(Phase phase) {
        return switch (phase) {
            case ATTENTION -> attention;
            case ROUTER -> router;
            case FEED_FORWARD -> feedForward;
            case HEAD -> head;
            case OTHER -> other;
        };
    }
}
