package dev.remora.core;

/** Work that is cut into chunks which any worker may run in any order. Implementations are made once, not per step. */
@FunctionalInterface
public interface ParallelTask {
    /**
     * Runs one chunk.
     *
     * @param chunk   from 0
     * @param scratch of the worker that runs it
     */
    void run(int chunk, Scratch scratch);
}
