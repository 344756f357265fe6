package dev.remora.models.bench;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Adds the costs of steps up, and the least time that they take on a machine. */
final class Roofline {
    private final MachineLimits limits;
    private final Map<String, Sum> phases = new LinkedHashMap<>();
    private double readSeconds;
    private double fmaSeconds;

    private static final class Sum {
        private double bytes;
        private double flops;
        private double seconds;
    }

    Roofline(MachineLimits limits) {
        this.limits = limits;
    }

    /** Adds the phases of one step. */
    void add(Collection<PhaseCost> step) {
        for (PhaseCost phase : step) {
            Sum sum = phases.computeIfAbsent(phase.name(), name -> new Sum());
            double read = limits.readSeconds((double) phase.bytes());
            double fma = limits.fmaSeconds(phase.flops());
            sum.bytes += phase.bytes();
            sum.flops += phase.flops();
            sum.seconds += Math.max(read, fma);
            if (read >= fma) {
                readSeconds += read;
            } else {
                fmaSeconds += fma;
            }
        }
    }

    /** The least time in which all steps can be done. */
    double seconds() {
        return readSeconds + fmaSeconds;
    }

    /** What most of that time is needed for. */
    BenchmarkResult.Limit limit() {
        return readSeconds >= fmaSeconds ? BenchmarkResult.Limit.BANDWIDTH : BenchmarkResult.Limit.ARITHMETIC;
    }

    double bytes() {
        return phases.values().stream().mapToDouble(sum -> sum.bytes).sum();
    }

    double flops() {
        return phases.values().stream().mapToDouble(sum -> sum.flops).sum();
    }

    /** Each phase, divided by {@code tokens}. */
    List<BenchmarkResult.PhaseLimit> phases(double tokens) {
        return phases.entrySet().stream()
                .map(entry -> {
                    Sum sum = entry.getValue();
                    return new BenchmarkResult.PhaseLimit(
                            entry.getKey(), sum.bytes / tokens, sum.flops / tokens, sum.seconds / tokens);
                })
                .toList();
    }
}
