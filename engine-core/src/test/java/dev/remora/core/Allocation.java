package dev.remora.core;

import static org.junit.jupiter.api.Assertions.fail;

import java.lang.management.ManagementFactory;

/** Asserts that a call allocates nothing once C2 has compiled it: the guard against vectors that are boxed. */
public final class Allocation {
    private static final int ROUNDS = 40;
    private static final int WARM_UP = 2_000;

    /** A small kernel has done its rounds before a busy machine has compiled it. */
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private static final int CALLS = 100;
    private static final long LIMIT = 1024;

    private Allocation() {}

    /** Fails unless 100 calls in a row allocate less than 1 KB; patient, because the compiler shares the machine. */
    public static void assertNone(String what, Runnable call) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = 0;
        long start = System.nanoTime();
        for (int round = 0; round < ROUNDS || System.nanoTime() - start < PATIENCE_NANOS; round++) {
            for (int i = 0; i < WARM_UP; i++) {
                call.run();
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
            if (allocated < LIMIT) {
                return;
            }
        }
        fail(what + ": " + allocated + " bytes in " + CALLS + " calls");
    }
}
