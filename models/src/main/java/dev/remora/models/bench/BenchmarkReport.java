package dev.remora.models.bench;

import java.util.List;

/**
 * What was measured, in one run.
 *
 * @param results one for each workload, in the order in which they ran
 */
public record BenchmarkReport(
        MachineFigures machine, ModelFigures model, MemoryFigures memory, List<BenchmarkResult> results) {
    public BenchmarkReport {
        results = List.copyOf(results);
    }

    /**
     * The machine.
     *
     * @param cpu     its name
     * @param jdk     version and vendor
     * @param limits  of all threads: the best that was measured before, between and after the workloads
     * @param scaling of 1, 2, 4 and so on up to all threads, measured before the workloads
     */
    public record MachineFigures(String cpu, String jdk, MachineLimits limits, List<MachineLimits> scaling) {
        public MachineFigures {
            scaling = List.copyOf(scaling);
        }
    }

    /**
     * The model.
     *
     * @param name               folder, or name of a model that has none
     * @param weightBytes        bytes of all weights in memory
     * @param cacheBytesPerToken bytes of cache of one position
     * @param bytesPerToken      bytes of weights and cache that one token alone at depth 0 must read
     * @param flopsPerToken      operations that it takes
     */
    public record ModelFigures(
            String name, long weightBytes, long cacheBytesPerToken, double bytesPerToken, double flopsPerToken) {}

    /**
     * Memory of the process after the workloads; 0 where the system does not tell.
     *
     * @param residentBytes all that is in memory
     * @param cacheBytes    of the caches at their largest
     * @param otherBytes    resident beyond weights and caches: the JVM, its heap, the rows of a step
     */
    public record MemoryFigures(long residentBytes, long cacheBytes, long otherBytes) {}
}
