package dev.remora.models;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import dev.remora.core.MemoryLimits;
import dev.remora.core.RemoraException;
import dev.remora.core.Rows;
import dev.remora.models.runtime.RouterSupport;
import dev.remora.models.transformer.Transformer;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.policy.RouterPolicy;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * The engine thread: it alone runs the transformer, one step after the other, in the order they were asked for. Handing a
 * step over and waiting for it allocates nothing.
 */
final class Engine implements StepRunner, AutoCloseable {
    private static final int SPINS = 2_000;

    private final Transformer transformer;
    private final Optional<MoeWorkspace> experts;
    private final Telemetry telemetry;
    private final CachePool pool;
    private final Runnable resources;
    private final Batch batch;
    private final Thread thread;
    private final Transformer.LayerBoundary boundary = this::checkCancelled;

    // Slots that wait, newest first, linked by their own field.
    private final AtomicReference<EngineSlot> waiting = new AtomicReference<>();
    private volatile RouterPolicy policy;
    private volatile boolean closed;
    private EngineSlot running;

    /**
     * @param experts   the buffers of the sparse layers, if there are any
     * @param policy    of the first steps, which the model supports
     * @param telemetry told what happens
     * @param pool      closed with the engine
     * @param resources frees threads and weights, after the last step
     */
    Engine(
            Transformer transformer,
            Optional<MoeWorkspace> experts,
            RouterPolicy policy,
            Telemetry telemetry,
            CachePool pool,
            Runnable resources) {
        this.transformer = transformer;
        this.experts = experts;
        this.policy = policy;
        this.telemetry = telemetry;
        this.pool = pool;
        this.resources = resources;
        this.batch = new Batch(transformer.maxRows());
        this.thread = Thread.ofPlatform().name("remora-engine").daemon().start(this::runSteps);
    }

    @Override
    public int vocabSize() {
        return transformer.vocabSize();
    }

    @Override
    public int maxRowsPerStep() {
        return transformer.maxRows();
    }

    @Override
    public RouterPolicy policy() {
        return policy;
    }

    @Override
    public void policy(RouterPolicy newPolicy) {
        RouterSupport.require(experts.map(MoeWorkspace::config), newPolicy);
        policy = newPolicy;
    }

    @Override
    public Slot open(int contextLength) {
        MemoryLimits.now()
                .require(pool.bytesFor(contextLength), "the cache of a context of " + contextLength + " tokens");
        return new EngineSlot(pool.open(contextLength));
    }

    private void runSteps() {
        while (!closed) {
            EngineSlot slot = takeAll();
            while (slot != null) {
                EngineSlot next = slot.next;
                runStep(slot);
                slot = next;
            }
        }
    }

    /** The waiting slots, oldest first; null after {@link #close}. */
    private EngineSlot takeAll() {
        for (int spins = 0; waiting.get() == null && !closed; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
            }
        }
        EngineSlot newest = waiting.getAndSet(null);
        EngineSlot oldest = null;
        while (newest != null) {
            EngineSlot older = newest.next;
            newest.next = oldest;
            oldest = newest;
            newest = older;
        }
        return oldest;
    }

    private void runStep(EngineSlot slot) {
        running = slot;
        CachePool.Sequence sequence = slot.sequence;
        int length = sequence.length();
        int end = length;
        try {
            checkIds(slot);
            sequence.reserve(length + slot.count);
            batch.clear();
            batch.add(sequence, slot.ids, slot.from, slot.count);
            applyPolicy();
            telemetry.begin(batch, transformer.clock());
            transformer.forward(batch, boundary);
            int vocabulary = vocabSize();
            int first = slot.count - slot.logitRows;
            for (int row = first; row < slot.count; row += Transformer.HEAD_ROWS) {
                int rows = Math.min(Transformer.HEAD_ROWS, slot.count - row);
                Rows logits = transformer.logits(row, rows);
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(
                            logits.data(), logits.offset(i), slot.logits, (row - first + i) * vocabulary, vocabulary);
                }
            }
            telemetry.end(pool);
            end = length + slot.count;
        } catch (RuntimeException | Error e) {
            slot.failure = e;
        } finally {
            // After a failure this frees the pages that were reserved for nothing.
            sequence.resize(end);
            running = null;
            slot.finish();
        }
    }

    private void applyPolicy() {
        RouterPolicy wanted = policy;
        if (experts.isPresent() && !experts.get().policy().equals(wanted)) {
            telemetry.policy(experts.get().policy(), wanted, "asked for");
            experts.get().policy(wanted);
        }
    }

    private void checkIds(EngineSlot slot) {
        for (int i = slot.from; i < slot.from + slot.count; i++) {
            if (slot.ids[i] < 0 || slot.ids[i] >= vocabSize()) {
                throw new RemoraException("token id: expected 0 to " + (vocabSize() - 1) + ", found " + slot.ids[i]
                        + " at position " + (slot.sequence.length() + i - slot.from)
                        + "; do the tokenizer and the weights belong together?");
            }
        }
    }

    private void checkCancelled(int layer, Rows x) {
        if (running.cancelled) {
            throw new CancellationException("cancelled before layer " + layer);
        }
    }

    /** Ends the thread and frees everything; no step may be waiting. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        pool.close();
        resources.run();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** One sequence and the step it waits for. */
    private final class EngineSlot implements Slot {
        private final CachePool.Sequence sequence;
        private EngineSlot next;
        private int[] ids;
        private int from;
        private int count;
        private int logitRows;
        private float[] logits;
        private Throwable failure;
        private Thread waiter;
        private volatile boolean pending;
        private volatile boolean cancelled;

        EngineSlot(CachePool.Sequence sequence) {
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
            if (newCount < 1 || newCount > maxRowsPerStep() || newLogitRows < 0 || newLogitRows > newCount) {
                throw new IllegalArgumentException(newCount + " rows, " + newLogitRows
                        + " with logits, in a step of 1 to " + maxRowsPerStep() + " rows");
            }
            if (closed) {
                throw new IllegalStateException("the model is closed");
            }
            ids = newIds;
            from = newFrom;
            count = newCount;
            logitRows = newLogitRows;
            logits = newLogits;
            failure = null;
            waiter = Thread.currentThread();
            pending = true;
            submit();
            await();
            // Not cleared before: a cancel may come between the caller's last look and this step.
            cancelled = false;
            rethrow();
        }

        private void submit() {
            EngineSlot newest;
            do {
                newest = waiting.get();
                next = newest;
            } while (!waiting.compareAndSet(newest, this));
            LockSupport.unpark(thread);
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

        private void finish() {
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
}
