package dev.remora.bench.support;

import dev.remora.models.bench.MachineLimits;
import dev.remora.models.bench.MachineProbe;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The limits of this machine, measured once in a process for each number of threads. */
final class Machine {
    private static final long TINY_BYTES = 1L << 22;
    private static final Map<Integer, MachineLimits> LIMITS = new ConcurrentHashMap<>();

    private Machine() {}

    /** Limits, which are printed; of the caches, not of the memory, if only a few bytes shall be read. */
    static MachineLimits limits(int threads, boolean tiny) {
        return LIMITS.computeIfAbsent(threads, count -> measure(count, tiny ? TINY_BYTES : MachineProbe.USUAL_BYTES));
    }

    private static MachineLimits measure(int threads, long bytes) {
        MachineLimits limits = MachineProbe.measure(threads, bytes);
        System.out.printf(
                Locale.ROOT,
                "limits of this machine: read %.1f GB/s, FMA %.0f GFLOPS (%d threads, vectors of %d bits)%n",
                limits.readGbps(),
                limits.fmaGflops(),
                limits.threads(),
                limits.vectorBits());
        return limits;
    }
}
