package dev.remora.moe;

import dev.remora.core.SwiGlu;
import java.util.Optional;

/**
 * Where the routed experts of all layers come from: resident, or fetched into a limited number of slots. One thread at a
 * time. A store that keeps all experts in memory implements {@link #acquire} and {@link #release} alone.
 */
public interface ExpertStore {
    /**
     * Makes experts usable until they are released. A store with few slots may serve the first ones only; the caller
     * releases them and asks for the rest.
     *
     * @param ids  without repetition; served in this order
     * @param from index of the first one asked for
     * @param to   index after the last
     * @param into receives expert {@code ids[from + i]} at {@code i}
     * @return how many are usable, from the first: at least one
     */
    int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into);

    /** Ends the use of {@code ids[from, to)}, which an {@link #acquire} served. */
    void release(int layer, int[] ids, int from, int to);

    /** True if {@link #acquire} would serve this expert without waiting. */
    default boolean resident(int layer, int expert) {
        return true;
    }

    /** What bringing one expert into memory takes, by experience; 0 if all are always there. */
    default long loadNanos(int layer) {
        return 0;
    }

    /**
     * Begins to bring experts into memory and does not wait. A hint: what has no room is left out.
     *
     * @param ids the first {@code count} are meant, ascending
     */
    default void prefetch(int layer, int[] ids, int count) {}

    /** True if experts may have to be brought into memory, so that guesses help. */
    default boolean limited() {
        return false;
    }

    /**
     * Says which experts a layer will probably be asked for next. A store may bring them in while nothing else is asked of it.
     *
     * @param ids the first {@code count} are meant
     */
    default void expect(int layer, int[] ids, int count) {}

    /**
     * Waits until an expert that {@link #prefetch} was asked for is in memory.
     *
     * @param deadlineNanos as {@link System#nanoTime()} counts
     * @return false if it is not there by then
     */
    default boolean await(int layer, int expert, long deadlineNanos) {
        return resident(layer, expert);
    }

    /** A copy of the expert in FP8 that is always in memory, if there is one. */
    default Optional<SwiGlu> substitute(int layer, int expert) {
        return Optional.empty();
    }
}
