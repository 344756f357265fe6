package dev.remora.models.saving;

import java.nio.file.Path;
import java.util.List;

/** The threads that make the pieces of a checkpoint, in the order of the files, so that the disk is written in order too. */
final class WritingThreads implements AutoCloseable {
    private static final long MILLISECOND = 1_000_000;
    private static final long TELL_NANOS = 100 * MILLISECOND;

    private final List<Shard> shards;
    private final Path folder;
    private final Thread[] threads;
    private volatile boolean stop;
    /** Of the thread that waits; its flag is set again at the end. */
    private boolean interrupted;

    // Guarded by this.
    private int shard;
    private int part;
    private int piece;
    private long done;
    private int running;
    private Throwable failure;

    /** What one thread does next. */
    private record Work(Shard shard, int part, int piece) {}

    /** Starts {@code count} threads. */
    WritingThreads(List<Shard> shards, Path folder, int count) {
        this.shards = shards;
        this.folder = folder;
        threads = new Thread[count];
        try {
            for (int i = 0; i < count; i++) {
                // Platform threads that nobody interrupts: an interrupt would close the files that they share.
                threads[i] =
                        Thread.ofPlatform().name("remora-writer-" + i).daemon().unstarted(this::run);
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
            for (Work work = next(); work != null; work = next()) {
                work.shard.write(folder, work.part, work.piece, this::written);
            }
        } catch (Throwable e) {
            fail(e);
        } finally {
            count(-1);
        }
    }

    private synchronized Work next() {
        while (!stop && shard < shards.size()) {
            List<Part> parts = shards.get(shard).parts();
            if (part == parts.size()) {
                shard++;
                part = 0;
            } else if (piece == parts.get(part).pieces()) {
                part++;
                piece = 0;
            } else {
                return new Work(shards.get(shard), part, piece++);
            }
        }
        return null;
    }

    private synchronized void written(long bytes) {
        done += bytes;
    }

    private synchronized void fail(Throwable e) {
        stop = true;
        if (failure == null) {
            failure = e;
        }
    }

    /**
     * Waits a moment, or until everything is done.
     *
     * @return true while there is work
     * @throws RuntimeException the first failure of a thread
     */
    synchronized boolean await() {
        long end = System.nanoTime() + TELL_NANOS;
        for (long left = TELL_NANOS; running > 0 && left > 0; left = end - System.nanoTime()) {
            try {
                wait(left / MILLISECOND + 1);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
        return running > 0;
    }

    /** Bytes written so far. */
    synchronized long done() {
        return done;
    }

    /** Waits for the threads, which end after the pieces at hand. */
    @Override
    public void close() {
        stop = true;
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
