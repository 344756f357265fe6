package dev.remora.models;

import dev.remora.core.CachePool;
import java.util.concurrent.locks.LockSupport;

/** One sequence and the step it waits for. Handing a step over and waiting for it allocates nothing. */
final class EngineSlot implements StepRunner.Slot {
    static final int SPINS = 2_000;

    final CachePool.Sequence sequence;
    private final Engine engine;

    // The step: written by the one who waits before it is submitted, read by the engine thread.
    int[] ids;
    int from;
    int count;
    int logitRows;
    float[] logits;

    /** The next slot of whatever list this one is in. */
    EngineSlot next;

    /** Why the step failed, or null; by the engine thread, before {@link #finish}. */
    Throwable failure;

    private Thread waiter;
    private volatile boolean pending;
    private volatile boolean cancelled;

    EngineSlot(Engine engine, CachePool.Sequence sequence) {
        this.engine = engine;
        this.sequence = sequence;
    }

    @Override
    public int position() {
        return sequence.length();
    }

    @Override
    public int contextLength() {
        return sequence.capacity();
    }

    @Override
    public void append(int[] newIds, int newFrom, int newCount, int newLogitRows, float[] newLogits) {
        if (newCount < 1 || newCount > engine.maxRowsPerStep() || newLogitRows < 0 || newLogitRows > newCount) {
            throw new IllegalArgumentException(newCount + " rows, " + newLogitRows + " with logits, in a step of 1 to "
                    + engine.maxRowsPerStep() + " rows");
        }
        ids = newIds;
        from = newFrom;
        count = newCount;
        logitRows = newLogitRows;
        logits = newLogits;
        failure = null;
        waiter = Thread.currentThread();
        pending = true;
        engine.submit(this);
        await();
        // Not cleared before: a cancel may come between the caller's last look and this step.
        cancelled = false;
        rethrow();
    }

    private void await() {
        boolean interrupted = false;
        for (int spins = 0; pending; spins++) {
            if (Thread.interrupted()) {
                interrupted = true;
                cancelled = true;
            }
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
            }
        }
        if (interrupted) {
            waiter.interrupt();
        }
    }

    private void rethrow() {
        Throwable thrown = failure;
        failure = null;
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
    }

    boolean cancelled() {
        return cancelled;
    }

    /** Lets the one who waits go on; by the engine thread, which does not touch this slot afterwards. */
    void finish() {
        Thread thread = waiter;
        pending = false;
        LockSupport.unpark(thread);
    }

    @Override
    public void truncate(int position) {
        sequence.resize(position);
    }

    @Override
    public void cancel() {
        cancelled = true;
    }

    @Override
    public void close() {
        sequence.close();
    }
}
