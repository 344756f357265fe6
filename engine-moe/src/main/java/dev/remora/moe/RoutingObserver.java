package dev.remora.moe;

import dev.remora.moe.policy.Fallback;

/** Is told where a policy took an expert from a row. Called by the engine thread; must be quick and allocate nothing. */
public interface RoutingObserver {
    /** Hears everything and does nothing. */
    RoutingObserver NONE = new RoutingObserver() {};

    /**
     * An expert was full.
     *
     * @param expert that the row would have met
     * @param row    of the step
     */
    default void overflow(int layer, int expert, int row) {}

    /**
     * An expert was not in memory in time.
     *
     * @param expert that the row would have met
     * @param step   that took its place
     * @param row    of the step
     */
    default void fallback(int layer, int expert, Fallback.Step step, int row) {}
}
