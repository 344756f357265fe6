package dev.remora.models;

import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * The ids of one session and how far they are in its cache.
 *
 * <pre>
 *   0                     slot.position()      length          slot.contextLength()
 *   +---------------------+--------------------+- - - - - - - -+
 *   | cached              | pending            | free          |
 *   +---------------------+--------------------+- - - - - - - -+
 * </pre>
 *
 * Between two calls of a session at most one id is pending: the last generated one, whose row nobody has asked for yet.
 */
final class Sequence {
    private static final int MAX_STRAYS = 8;

    private final StepRunner.Slot slot;
    private final Gate gate;
    private final int maxRows;
    private final int[] ids;
    private volatile int length;
    private boolean slotClosed;

    Sequence(StepRunner runner, Gate gate, int contextLength) {
        this.gate = gate;
        maxRows = runner.maxRowsPerStep();
        ids = new int[contextLength];
        slot = runner.open(contextLength);
    }

    int length() {
        return length;
    }

    int capacity() {
        return ids.length;
    }

    int cached() {
        return slot.position();
    }

    /** The array itself; the first {@link #length()} elements count. */
    int[] ids() {
        return ids;
    }

    int[] toArray() {
        return Arrays.copyOf(ids, length);
    }

    /** How many of the first ids are the same. */
    int commonPrefix(int[] other) {
        int mismatch = Arrays.mismatch(ids, 0, length, other, 0, other.length);
        return mismatch < 0 ? length : mismatch;
    }

    void add(int[] more) {
        int end = length;
        System.arraycopy(more, 0, ids, end, more.length);
        length = end + more.length;
    }

    void add(int id) {
        int end = length;
        ids[end] = id;
        length = end + 1;
    }

    void truncate(int newLength) {
        if (newLength < slot.position()) {
            gate.enter();
            try {
                slot.truncate(newLength);
            } finally {
                gate.leave();
            }
        }
        length = newLength;
    }

    /**
     * Puts pending ids into the cache.
     *
     * @param logits takes the row of the last id, or null; if no id is pending the last one is run again for it
     * @throws CancellationException if the cancellation was wanted before the end
     */
    void run(float[] logits, Cancellation cancellation) {
        if (logits != null && slot.position() == length) {
            int last = length;
            truncate(last - 1);
            length = last;
        }
        while (slot.position() < length) {
            int count = chunk(length - slot.position(), maxRows);
            boolean wanted = logits != null && slot.position() + count == length;
            append(count, wanted ? 1 : 0, logits, cancellation);
        }
    }

    /**
     * How many of the pending ids the next step takes. One fewer than it could, where a single row would be left: in a step
     * of its own it would pass for a token that is being decoded.
     */
    static int chunk(int pending, int maxRows) {
        int count = Math.min(maxRows, pending);
        return pending - count == 1 && count > 2 ? count - 1 : count;
    }

    /**
     * Puts the next {@code count} pending ids into the cache, with the logits of the last {@code logitRows} of them.
     */
    void append(int count, int logitRows, float[] logits, Cancellation cancellation) {
        int target = slot.position() + count;
        int strays = 0;
        while (slot.position() < target) {
            if (cancellation.wanted()) {
                throw new CancellationException("cancelled");
            }
            gate.enter();
            try {
                slot.append(ids, slot.position(), count, logitRows, logits);
            } catch (CancellationException e) {
                // A cancel that was meant for earlier work may arrive late; this work goes on.
                if (cancellation.wanted() || ++strays > MAX_STRAYS) {
                    throw e;
                }
            } finally {
                gate.leave();
            }
        }
    }

    /** Ends the append that is running, if there is one. From any thread. */
    void interrupt() {
        slot.cancel();
    }

    /** Frees the cache; nothing may run. Idempotent. */
    synchronized void close() {
        if (!slotClosed) {
            slotClosed = true;
            slot.close();
        }
    }
}
