package dev.remora.models.weights;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads that fill slabs. Each allocates a slab, which touches its memory first, and fills it; when none is left it
 * helps with those of others.
 */
final class LoadingThreads implements AutoCloseable {
    private final List<Work> work;
    private final Thread[] threads;
    private final AtomicInteger nextSlab = new AtomicInteger();
    private volatile boolean stop;

    // Guarded by this.
    private long done;
    private long told;
    private int running;
    private Throwable failure;

    /** A slab; its pieces, once it is allocated, and which of them come next. */
    private static final class Work {
        private final WeightLoader.Slab slab;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger unfinished = new AtomicInteger();
        private volatile List<Runnable> pieces = List.of();

        Work(WeightLoader.Slab slab) {
            this.slab = slab;
        }
    }

    /** Starts at most {@code count} threads. */
    LoadingThreads(List<WeightLoader.Slab> slabs, int count) {
        work = slabs.stream().map(Work::new).toList();
        threads = new Thread[Math.min(count, slabs.size())];
        try {
            for (int i = 0; i < threads.length; i++) {
                // Platform threads that nobody interrupts: they read mapped files.
                threads[i] =
                        Thread.ofPlatform().name("remora-loader-" + i).daemon().unstarted(this::run);
                count(1);
                threads[i].start();
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private synchronized void count(int change) {
        running += change;
        notifyAll();
    }

    private void run() {
        try {
            for (int i = nextSlab.getAndIncrement(); i < work.size() && !stop; i = nextSlab.getAndIncrement()) {
                Work mine = work.get(i);
                List<Runnable> pieces = mine.slab.start();
                mine.unfinished.set(pieces.size());
                mine.pieces = pieces;
                fill(mine);
            }
            for (Work other : work) {
                fill(other);
            }
        } catch (Throwable e) {
            fail(e);
        } finally {
            count(-1);
        }
    }

    private void fill(Work some) {
        List<Runnable> pieces = some.pieces;
        for (int i = some.next.get(); i < pieces.size() && !stop; i = some.next.get()) {
            if (some.next.compareAndSet(i, i + 1)) {
                pieces.get(i).run();
                if (some.unfinished.decrementAndGet() == 0) {
                    finish(some.slab.bytes());
                }
            }
        }
    }

    private synchronized void finish(long bytes) {
        done += bytes;
        notifyAll();
    }

    private synchronized void fail(Throwable e) {
        stop = true;
        if (failure == null) {
            failure = e;
        }
    }

    /**
     * Waits until more is done, or everything.
     *
     * @return the bytes of the slabs that are complete
     * @throws RuntimeException the first failure of a thread
     */
    synchronized long awaitMore() {
        boolean interrupted = false;
        while (done == told && running > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
        told = done;
        return done;
    }

    /** Waits for the threads: one that still copies writes into memory that the caller may free after a failure. */
    @Override
    public void close() {
        stop = true;
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread != null && thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
