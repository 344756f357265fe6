package dev.remora.bench.support;

import org.openjdk.jmh.annotations.Param;

/** A family whose work is spread over a team of threads. */
public abstract class TeamBenchmark extends KernelBenchmark {
    /** Threads of the team; 0: all processors. */
    @Param("0")
    public int threads;

    @Override
    protected final int threads() {
        return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }
}
