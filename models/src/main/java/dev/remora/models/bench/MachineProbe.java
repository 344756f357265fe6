package dev.remora.models.bench;

import dev.remora.core.MemoryLimits;
import dev.remora.core.ParallelTask;
import dev.remora.core.ThreadTeam;
import dev.remora.core.kernel.Probe;
import dev.remora.core.kernel.VectorSupport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures the two limits of a CPU: how fast it reads memory that no cache holds, and how fast it multiplies and adds.
 * Takes about a second for each number of threads.
 */
public final class MachineProbe {
    /** Memory to read: more than twice the largest caches of today's servers. */
    public static final long USUAL_BYTES = 1L << 30;

    private static final int CHUNK = 1 << 18;
    private static final int WARM_CHUNKS = 16;
    private static final int WARM_UPS = 300;
    /** Floats between the arrays of two threads, so that no cache line holds parts of both. */
    private static final int PADDING = 64;

    private static final int REPETITIONS = 9;
    private static final int ROUNDS = 4_000;
    private static final long FMA_NANOS = 30_000_000;

    private final ThreadTeam team;
    private final MemorySegment memory;
    private final float[][] chains;
    private final ParallelTask read = (chunk, scratch) -> readChunk(chunk, scratch.worker());
    private final ParallelTask multiply =
            (chunk, scratch) -> Probe.multiplyAdd(1.0001f, chains(scratch.worker()), ROUNDS);

    private MachineProbe(ThreadTeam team, MemorySegment memory) {
        this.team = team;
        this.memory = memory;
        this.chains = new float[team.size()][Probe.CHAINS + PADDING];
    }

    /** As {@link #measure(int, long)}, with {@link #USUAL_BYTES}. */
    public static MachineLimits measure(int threads) {
        return measure(threads, USUAL_BYTES);
    }

    /**
     * The limits of so many threads together: the best of several repetitions, after warming up.
     *
     * @param bytes memory to read, allocated outside of the heap for the time of the measurement; at least 4 MiB
     * @throws dev.remora.core.InsufficientMemoryException if there is less
     */
    public static MachineLimits measure(int threads, long bytes) {
        return measure(List.of(threads), bytes).getFirst();
    }

    /**
     * The limits of 1, 2, 4 and so on up to all threads.
     *
     * @throws dev.remora.core.InsufficientMemoryException if there is less memory than {@code bytes}
     */
    public static List<MachineLimits> measureEach(int threads, long bytes) {
        List<Integer> counts = new ArrayList<>();
        for (int count = 1; count < threads; count *= 2) {
            counts.add(count);
        }
        counts.add(threads);
        return measure(counts, bytes);
    }

    private static List<MachineLimits> measure(List<Integer> counts, long bytes) {
        if (bytes < (long) WARM_CHUNKS * CHUNK) {
            throw new IllegalArgumentException(
                    "bytes: expected at least " + (long) WARM_CHUNKS * CHUNK + ", found " + bytes);
        }
        MemoryLimits.now().require(bytes, "measuring the bandwidth of the memory");
        List<MachineLimits> limits = new ArrayList<>();
        try (Arena arena = Arena.ofShared()) {
            // From a page that was never written the system would read zeros that lie in the cache.
            MemorySegment memory =
                    arena.allocate(bytes - bytes % CHUNK, 1 << 12).fill((byte) 1);
            for (int count : counts) {
                try (ThreadTeam team = new ThreadTeam(count, 1)) {
                    limits.add(new MachineProbe(team, memory).measure());
                }
            }
        }
        return limits;
    }

    private MachineLimits measure() {
        awaitKernels();
        for (int i = 0; i < WARM_UPS; i++) {
            team.run(read, WARM_CHUNKS);
            team.run(multiply, team.size());
        }
        int chunks = Math.toIntExact(memory.byteSize() / CHUNK);
        double readSeconds = best(read, chunks);
        int tasks =
                (int) Math.max(team.size(), FMA_NANOS / 1e9 * team.size() / best(multiply, team.size()) * team.size());
        double fmaSeconds = best(multiply, tasks);
        return new MachineLimits(
                (double) chunks * CHUNK / readSeconds / 1e9,
                2.0 * Probe.CHAINS * ROUNDS * tasks / fmaSeconds / 1e9,
                VectorSupport.BITS,
                team.size());
    }

    /** While another thread warms the engine's kernels up, this one would be served by the scalar kernels. */
    private static void awaitKernels() {
        while (VectorSupport.VECTOR && !VectorSupport.active()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private double best(ParallelTask task, int chunks) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < REPETITIONS; i++) {
            long start = System.nanoTime();
            team.run(task, chunks);
            best = Math.min(best, System.nanoTime() - start);
        }
        return best / 1e9;
    }

    private void readChunk(int chunk, int worker) {
        // Kept, so that the compiler cannot leave the reading out.
        chains[worker][0] += Probe.sum(memory, (long) chunk * CHUNK, CHUNK);
    }

    private float[] chains(int worker) {
        return chains[worker];
    }
}
