package dev.remora.models;

import dev.remora.core.kernel.VectorSupport;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Has the vector kernels compiled in the background once a model is loaded. Until then the scalar kernels, which are quick
 * from the start and give the same bits, do the work.
 */
final class Warmup {
    private static final int MAX_CALLS = 20_000;

    /** A compiled kernel allocates nothing; an interpreted one boxes every vector. */
    private static final int QUIET_CALLS = 20;

    private Warmup() {}

    /**
     * Starts the thread, the first time in a process.
     *
     * @param formats of the model's weights: the compiler is kept busy for as little as needed
     */
    static void start(Set<String> formats) {
        Thread.ofPlatform().name("remora-warmup").daemon().start(() -> VectorSupport.warmUp(() -> exercise(formats)));
    }

    private static void exercise(Set<String> formats) {
        try (Arena arena = Arena.ofConfined()) {
            for (KernelTrial.Operation operation : new KernelTrial(arena, formats).operations()) {
                untilQuiet(operation.run(), allocationMeter());
            }
        }
    }

    private static void untilQuiet(Runnable operation, LongSupplier allocated) {
        int quiet = 0;
        for (int call = 0; call < MAX_CALLS && quiet < QUIET_CALLS; call++) {
            long before = allocated.getAsLong();
            operation.run();
            quiet = allocated.getAsLong() == before ? quiet + 1 : 0;
        }
    }

    /** Bytes that this thread has allocated; where nobody counts them, a number that always grows. */
    private static LongSupplier allocationMeter() {
        try {
            var threads = ManagementFactory.getPlatformMXBean(com.sun.management.ThreadMXBean.class);
            return threads::getCurrentThreadAllocatedBytes;
        } catch (LinkageError | RuntimeException e) {
            return System::nanoTime;
        }
    }
}
