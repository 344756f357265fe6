package dev.remora.moe;

/**
 * Sees what a store with fewer slots than experts does. Threads of the store call it, one at a time and while others wait:
 * return soon.
 */
public interface ExpertObserver {
    /** Sees nothing. */
    ExpertObserver NONE = new ExpertObserver() {};

    /** A step asked for an expert that was in memory. */
    default void hit(int layer, int expert) {}

    /** A step asked for an expert that was not in memory, or not yet. */
    default void miss(int layer, int expert) {}

    /**
     * An expert was brought in, asked for or ahead of time.
     *
     * @param bytes read
     * @param nanos from asking for it until it was there
     */
    default void loaded(int layer, int expert, long bytes, long nanos) {}
}
