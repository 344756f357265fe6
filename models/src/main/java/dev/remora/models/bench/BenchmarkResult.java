package dev.remora.models.bench;

import java.util.List;
import java.util.OptionalDouble;

/**
 * The figures of one workload.
 *
 * @param tokensPerSecond      of all its sequences together: the median of the repetitions
 * @param spread               half of the distance between the slowest and the fastest repetition, in tokens per second
 * @param repetitions          tokens per second of each repetition, in the order in which they ran
 * @param limitTokensPerSecond what the limits of the machine allow: the sum over all phases of what takes longer there,
 *     reading the bytes or computing
 * @param limit                what most of that time is needed for
 * @param bytesPerToken        of weights and cache that had to be read
 * @param flopsPerToken        that had to be done
 * @param energyPerToken       joules, of the CPU packages; empty where the system does not tell
 * @param phases               of all layers together, in the order in which they run
 */
public record BenchmarkResult(
        Workload workload,
        double tokensPerSecond,
        double spread,
        List<Double> repetitions,
        double limitTokensPerSecond,
        Limit limit,
        double bytesPerToken,
        double flopsPerToken,
        OptionalDouble energyPerToken,
        List<PhaseLimit> phases) {
    public BenchmarkResult {
        repetitions = List.copyOf(repetitions);
        phases = List.copyOf(phases);
    }

    /** What binds. */
    public enum Limit {
        /** Reading memory. */
        BANDWIDTH,
        /** Multiplying and adding. */
        ARITHMETIC
    }

    /**
     * One phase of all steps and layers.
     *
     * @param bytes        read for one token
     * @param flops        done for one token
     * @param limitSeconds the least time that they take, for one token
     */
    public record PhaseLimit(String name, double bytes, double flops, double limitSeconds) {}

    /** How much of what the machine allows was reached; 1 is all. A model that fits the caches may exceed it. */
    public double shareOfLimit() {
        return tokensPerSecond / limitTokensPerSecond;
    }
}
