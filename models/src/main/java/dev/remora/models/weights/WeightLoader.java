package dev.remora.models.weights;

import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * Repacks the matrices of a model in two steps: all are first announced, and so validated and counted, then repacked in
 * parallel. At any time each thread copies one matrix; the model never exists twice.
 */
public final class WeightLoader {
    private final List<Pending> pending = new ArrayList<>();
    private long bytes;

    /** A matrix that will be a weight. */
    private static final class Pending implements Supplier<Weight> {
        private final StoredMatrix matrix;
        private Weight weight;

        Pending(StoredMatrix matrix) {
            this.matrix = matrix;
        }

        @Override
        public Weight get() {
            if (weight == null) {
                throw new IllegalStateException("asked for a weight before loading");
            }
            return weight;
        }
    }

    /** Announces a matrix; the supplier answers after {@link #load}. */
    public Supplier<Weight> add(StoredMatrix matrix) {
        Pending announced = new Pending(matrix);
        pending.add(announced);
        bytes += matrix.packedBytes();
        return announced;
    }

    /** Bytes that {@link #load} allocates. */
    public long bytes() {
        return bytes;
    }

    /**
     * Repacks everything that was announced.
     *
     * @param arena    that will own the weights
     * @param progress told the bytes done, from this thread
     */
    public void load(Arena arena, int threads, LongConsumer progress) {
        AtomicBoolean stop = new AtomicBoolean();
        // Plain threads: these read mapped files, and must never be interrupted.
        ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name("remora-loader-", 0).daemon().factory());
        try {
            List<Future<?>> futures = new ArrayList<>(pending.size());
            for (Pending p : pending) {
                futures.add(pool.submit(() -> {
                    if (!stop.get()) {
                        p.weight = p.matrix.pack(arena);
                    }
                }));
            }
            long done = 0;
            for (int i = 0; i < futures.size(); i++) {
                await(futures.get(i));
                done += pending.get(i).matrix.packedBytes();
                progress.accept(done);
            }
        } finally {
            stop.set(true);
            pool.shutdown();
            // A thread that still copies writes into the arena, which the caller may close after a failure.
            pool.close();
        }
    }

    private static void await(Future<?> future) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    future.get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException cause) {
                        throw cause;
                    }
                    if (e.getCause() instanceof Error cause) {
                        throw cause;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
