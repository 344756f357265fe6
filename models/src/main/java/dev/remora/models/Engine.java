package dev.remora.models;

import dev.remora.core.CachePool;
import dev.remora.core.MemoryLimits;
import dev.remora.models.runtime.RouterSupport;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.control.PolicyLoop;
import dev.remora.moe.policy.RouterPolicy;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * The engine thread: it alone runs steps. Sequences that wait for one token share a step, so that weights are read once for
 * all of them; a chunk of a prompt is a step of its own. Where both wait they take turns.
 */
final class Engine implements StepRunner, AutoCloseable {
    /** Of the time of a step, what may be waited for the sequences that shared the last one. */
    private static final int PATIENCE = 4;

    private static final long MOST_PATIENCE_NANOS = 2_000_000;

    private final StepExecutor executor;
    private final Optional<MoeConfig> experts;
    private final PolicyLoop policies;
    private final CachePool pool;
    private final Runnable resources;
    private final Thread thread;

    // Slots that wait, newest first, linked by their own field.
    private final AtomicReference<EngineSlot> waiting = new AtomicReference<>();

    // The engine thread's.
    private final SlotQueue decoding = new SlotQueue();
    private final SlotQueue prompts = new SlotQueue();
    private final EngineSlot[] members = new EngineSlot[StepExecutor.MOST_MEMBERS];
    private int companions;
    private long patience;

    private volatile boolean closed;

    /**
     * @param experts   shape of the sparse layers, if there are any
     * @param policies  which the model supports
     * @param pool      closed with the engine
     * @param resources frees threads and weights, after the last step
     */
    Engine(
            StepExecutor executor,
            Optional<MoeConfig> experts,
            PolicyLoop policies,
            CachePool pool,
            Runnable resources) {
        this.executor = executor;
        this.experts = experts;
        this.policies = policies;
        this.pool = pool;
        this.resources = resources;
        this.thread = Thread.ofPlatform().name("remora-engine").daemon().start(this::runSteps);
    }

    @Override
    public int vocabSize() {
        return executor.vocabSize();
    }

    @Override
    public int maxRowsPerStep() {
        return executor.maxRows();
    }

    @Override
    public RouterPolicy policy() {
        return policies.asked();
    }

    @Override
    public void policy(RouterPolicy newPolicy) {
        RouterSupport.require(experts, newPolicy);
        policies.ask(newPolicy);
    }

    @Override
    public Slot open(int contextLength) {
        MemoryLimits.now()
                .require(pool.bytesFor(contextLength), "the cache of a context of " + contextLength + " tokens");
        return new EngineSlot(this, pool.open(contextLength));
    }

    /** Has the slot's step run; from any thread. */
    void submit(EngineSlot slot) {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
        EngineSlot newest;
        do {
            newest = waiting.get();
            slot.next = newest;
        } while (!waiting.compareAndSet(newest, slot));
        LockSupport.unpark(thread);
    }

    private void runSteps() {
        while (!closed) {
            awaitWork();
            awaitCompanions();
            runDecoding();
            collect();
            EngineSlot prompt = prompts.take();
            if (prompt != null) {
                members[0] = prompt;
                executor.run(members, 1);
            }
        }
    }

    private void awaitWork() {
        collect();
        for (int spins = 0; decoding.size() + prompts.size() == 0 && !closed; spins++) {
            if (spins < EngineSlot.SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
            }
            collect();
        }
    }

    /** Those who shared the last step come back as soon as they have chosen their token; without them it would fall apart. */
    private void awaitCompanions() {
        if (decoding.size() == 0 || decoding.size() >= companions) {
            return;
        }
        long end = System.nanoTime() + patience;
        long left = patience;
        for (int spins = 0; decoding.size() < companions && left > 0 && !closed; spins++) {
            if (spins < EngineSlot.SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(this, left);
            }
            collect();
            left = end - System.nanoTime();
        }
    }

    private void runDecoding() {
        int count = Math.min(members.length, decoding.size());
        if (count == 0) {
            return;
        }
        for (int i = 0; i < count; i++) {
            members[i] = decoding.take();
        }
        long start = System.nanoTime();
        executor.run(members, count);
        patience = Math.min(MOST_PATIENCE_NANOS, (System.nanoTime() - start) / PATIENCE);
        collect();
        companions = Math.min(members.length, count + decoding.size());
    }

    /** Sorts what has come in since, oldest first. */
    private void collect() {
        if (waiting.get() == null) {
            return;
        }
        EngineSlot newest = waiting.getAndSet(null);
        EngineSlot oldest = null;
        while (newest != null) {
            EngineSlot older = newest.next;
            newest.next = oldest;
            oldest = newest;
            newest = older;
        }
        while (oldest != null) {
            EngineSlot newer = oldest.next;
            (oldest.count == 1 ? decoding : prompts).add(oldest);
            oldest = newer;
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
}
