package dev.remora.bench;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/** One line for each measurement of a kernel: time, rates, and share of the binding limit. */
final class Summary {
    private Summary() {}

    @SuppressWarnings("rawtypes") // JMH's own signature
    static String of(Collection<RunResult> results) {
        StringBuilder table = new StringBuilder(
                "%n%-64s %12s %9s %9s %7s %6s%n".formatted("kernel", "µs", "GB/s", "GFLOPS", "share", "±"));
        for (RunResult result : results) {
            Map<String, Result> secondary = result.getAggregatedResult().getSecondaryResults();
            if (secondary.containsKey("share")) {
                Result<?> primary = result.getPrimaryResult();
                table.append(String.format(
                        Locale.ROOT,
                        "%-64s %12.2f %9.2f %9.2f %6.1f%% %5.1f%%%n",
                        name(result.getParams()),
                        1e6 / primary.getScore(),
                        secondary.get("gbps").getScore(),
                        secondary.get("gflops").getScore(),
                        100 * secondary.get("share").getScore(),
                        100 * spread(primary.getStatistics())));
            }
        }
        return table.toString();
    }

    /** Half the distance between the fastest and the slowest iteration, as a share of their mean. */
    private static double spread(Statistics iterations) {
        return (iterations.getMax() - iterations.getMin()) / 2 / iterations.getMean();
    }

    /** Family and what tells this line from its neighbours. */
    private static String name(BenchmarkParams params) {
        String family = params.getBenchmark().replaceAll("^.*\\.(\\w+?)(Benchmark)?\\.\\w+$", "$1");
        return params.getParamsKeys().stream()
                .filter(key -> !key.equals("size") && !key.equals("threads"))
                .map(key -> " " + key + "=" + params.getParam(key))
                .collect(Collectors.joining("", family, ""));
    }
}
