package dev.remora.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The threads of one engine. The owner (the engine thread) and {@code size - 1} workers claim chunks of the current task
 * until none is left; the run ends when the last claimed chunk is done, so a worker that wakes late delays nobody.
 *
 * <p>Idle workers spin for a moment, because the next phase of a layer follows within microseconds, then park.
 */
public final class ThreadTeam implements AutoCloseable {
    private static final long SPIN_NANOS = 100_000;

    // High half: number of the run. Low half: chunks not yet claimed. One word, so that a claim belongs to one run.
    private final AtomicLong claims = new AtomicLong();
    private final AtomicInteger unfinished = new AtomicInteger();
    private final Scratch[] scratch;
    private final Worker[] workers;
    private final Rows inputs;
    private ParallelTask task;
    private int chunks;
    private volatile Thread owner;
    private volatile Throwable failure;
    private volatile boolean closed;

    /**
     * @param size    threads, the caller of {@link #run} included
     * @param maxRows most rows that a multiplication will see
     */
    public ThreadTeam(int size, int maxRows) {
        this(size, maxRows, 0);
    }

    /**
     * A team whose weights may have an {@link InputTransform}.
     *
     * @param size       threads, the caller of {@link #run} included
     * @param maxRows    most rows that a multiplication will see
     * @param inputWidth most values of a row that is transformed; 0: none is
     */
    public ThreadTeam(int size, int maxRows, int inputWidth) {
        if (size < 1) {
            throw new IllegalArgumentException("threads: expected at least 1, found " + size);
        }
        inputs = new Rows(inputWidth == 0 ? 0 : maxRows, inputWidth);
        scratch = new Scratch[size];
        for (int i = 0; i < size; i++) {
            scratch[i] = new Scratch(i, maxRows);
        }
        workers = new Worker[size - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(scratch[i + 1]);
        }
        try {
            for (Worker worker : workers) {
                worker.thread.start();
            }
        } catch (Throwable e) {
            // The system may refuse a thread; those that it granted must not wait for ever.
            close();
            throw e;
        }
    }

    /** Bytes that a team takes, for an account of memory before it is made. */
    public static long bytes(int size, int maxRows, int inputWidth) {
        return size * Scratch.bytes(maxRows) + (inputWidth == 0 ? 0 : Rows.bytes(maxRows, inputWidth));
    }

    public int size() {
        return scratch.length;
    }

    /** Transformed inputs of the phase that runs, (maxRows, inputWidth); see {@link InputTransform}. */
    Rows inputs() {
        return inputs;
    }

    /** The owner's own scratch, for work between runs. */
    public Scratch ownerScratch() {
        return scratch[0];
    }

    /**
     * Runs all chunks and returns when they are done. One caller at a time, never from within a task.
     *
     * @throws RuntimeException the first failure of a chunk; the others still ran
     */
    public void run(ParallelTask work, int count) {
        if (count <= 0) {
            return;
        }
        if (count == 1 || workers.length == 0) {
            for (int chunk = 0; chunk < count; chunk++) {
                runChunk(work, chunk, scratch[0]);
            }
            throwFailure();
            return;
        }
        task = work;
        chunks = count;
        owner = Thread.currentThread();
        unfinished.set(count);
        long next = (claims.get() >>> 32) + 1;
        claims.set(next << 32 | count);
        for (Worker worker : workers) {
            if (worker.parked) {
                LockSupport.unpark(worker.thread);
            }
        }
        while (runOneChunk(scratch[0])) {}
        awaitLastChunk();
        throwFailure();
    }

    private void throwFailure() {
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) thrown;
        }
    }

    private boolean runOneChunk(Scratch mine) {
        long claim = claims.get();
        if ((int) claim == 0) {
            return false;
        }
        if (claims.compareAndSet(claim, claim - 1)) {
            // The run cannot end before this chunk is done: task and chunks are those of the claimed run.
            runChunk(task, chunks - (int) claim, mine);
            if (unfinished.decrementAndGet() == 0 && mine.worker() != 0) {
                LockSupport.unpark(owner);
            }
        }
        return true;
    }

    private void runChunk(ParallelTask current, int chunk, Scratch mine) {
        try {
            current.run(chunk, mine);
        } catch (RuntimeException | Error e) {
            if (failure == null) {
                failure = e;
            }
        }
    }

    private void awaitLastChunk() {
        long deadline = 0;
        for (int spins = 0; unfinished.get() != 0; spins++) {
            Thread.onSpinWait();
            if ((spins & 63) == 63) {
                long now = System.nanoTime();
                if (deadline == 0) {
                    deadline = now + SPIN_NANOS;
                } else if (now > deadline) {
                    // After an interrupt park returns at once: then this spins, for the flag is the owner's to clear.
                    LockSupport.park(this);
                }
            }
        }
    }

    /** Ends the workers; a run must not be in progress. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            while (worker.thread.isAlive()) {
                try {
                    worker.thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker implements Runnable {
        private final Scratch mine;
        private final Thread thread;
        private volatile boolean parked;

        Worker(Scratch mine) {
            this.mine = mine;
            this.thread = Thread.ofPlatform()
                    .name("remora-worker-" + mine.worker())
                    .daemon()
                    .unstarted(this);
        }

        @Override
        public void run() {
            long idleSince = 0;
            int spins = 0;
            while (!closed) {
                if (runOneChunk(mine)) {
                    idleSince = 0;
                    continue;
                }
                Thread.onSpinWait();
                if ((++spins & 63) == 0) {
                    long now = System.nanoTime();
                    if (idleSince == 0) {
                        idleSince = now;
                    } else if (now - idleSince > SPIN_NANOS) {
                        parked = true;
                        // Set before the last look: either this look sees new chunks, or their owner sees the flag.
                        if ((int) claims.get() == 0 && !closed) {
                            LockSupport.park(this);
                        }
                        parked = false;
                        idleSince = 0;
                    }
                }
            }
        }
    }
}
