package dev.remora.models.bench;

import java.util.List;
import java.util.OptionalDouble;

/** From timings to figures. */
final class Results {
    private Results() {}

    static BenchmarkResult of(BenchmarkRunner.Timing timing, StepAccount account, MachineLimits limits) {
        Workload workload = timing.workload();
        int repetitions = timing.seconds().size();
        double perRepetition = (double) workload.tokens() * workload.batch();
        double tokens = perRepetition * repetitions;
        List<Double> rates = timing.seconds().stream()
                .map(seconds -> perRepetition / seconds)
                .toList();
        List<Double> sorted = rates.stream().sorted().toList();
        Roofline roofline = new Roofline(limits);
        timing.shapes().forEach(shape -> roofline.add(account.phases(shape)));
        return new BenchmarkResult(
                workload,
                median(sorted),
                (sorted.getLast() - sorted.getFirst()) / 2,
                rates,
                tokens / roofline.seconds(),
                roofline.limit(),
                roofline.bytes() / tokens,
                roofline.flops() / tokens,
                timing.joules().isPresent()
                        ? OptionalDouble.of(timing.joules().getAsDouble() / tokens)
                        : OptionalDouble.empty(),
                roofline.phases(tokens));
    }

    /** @param sorted not empty */
    static double median(List<Double> sorted) {
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
