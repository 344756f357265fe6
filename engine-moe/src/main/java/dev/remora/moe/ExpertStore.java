package dev.remora.moe;

import dev.remora.core.SwiGlu;

/**
 * Where the routed experts of all layers come from: resident, or fetched into a limited number of slots. One thread at a
 * time.
 */
public interface ExpertStore {
    /**
     * Makes experts usable until they are released. A store with few slots may serve the first ones only; the caller
     * releases them and asks for the rest.
     *
     * @param ids  ascending, without repetition
     * @param from index of the first one asked for
     * @param to   index after the last
     * @param into receives expert {@code ids[from + i]} at {@code i}
     * @return how many are usable, from the first: at least one
     */
    int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into);

    /** Ends the use of {@code ids[from, to)}, which an {@link #acquire} served. */
    void release(int layer, int[] ids, int from, int to);
}
