package dev.remora.models.experts;

import dev.remora.core.RemoraException;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.core.weight.TileLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for one expert at a time: three matrices, which several threads may bring in at once. The memory of a matrix is
 * its reader's; all else is guarded by the lock of the store.
 */
final class ExpertSlot {
    static final int PARTS = 3;

    private final long[] partBytes;
    private final MemorySegment[] memory = new MemorySegment[PARTS];
    private final String[] layouts = new String[PARTS];
    private final Weight[] weights = new Weight[PARTS];
    private SwiGlu network;
    private RemoraException failure;
    private int unread;
    private long begun;

    /** @param partBytes of the memory of each matrix */
    ExpertSlot(long[] partBytes) {
        this.partBytes = partBytes;
    }

    /** Another expert is to come. */
    void begin(long now) {
        network = null;
        failure = null;
        unread = PARTS;
        begun = now;
    }

    /** Memory is taken when it is first used; what a layout leaves unwritten is zero. */
    MemorySegment memory(int index, StoredExpert.Part part, Arena arena) {
        String layout = part.layout();
        if (memory[index] == null) {
            memory[index] = arena.allocate(partBytes[index], TileLayout.ALIGNMENT);
        } else if (!layout.equals(layouts[index])) {
            memory[index].fill((byte) 0);
        }
        layouts[index] = layout;
        return memory[index];
    }

    /** A matrix has come, or its failure; true if it was the last one. */
    boolean finish(int index, Weight weight, RemoraException failed) {
        weights[index] = weight;
        failure = failure == null ? failed : failure;
        unread--;
        if (unread == 0 && failure == null) {
            network = new SwiGlu(weights[0], weights[1], weights[2]);
        }
        return unread == 0;
    }

    /** The first failure of the expert that was to come, or null. */
    RemoraException failure() {
        return failure;
    }

    /** The expert that is here. */
    SwiGlu network() {
        return network;
    }

    /** When the expert was asked for, by {@link System#nanoTime}. */
    long begun() {
        return begun;
    }
}
