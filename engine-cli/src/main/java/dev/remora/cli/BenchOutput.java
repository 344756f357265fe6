package dev.remora.cli;

import dev.remora.models.bench.BenchmarkReport;
import dev.remora.models.bench.BenchmarkResult;
import dev.remora.models.bench.MachineLimits;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of {@code remora bench}, for people and for programs. */
final class BenchOutput {
    private static final String[] COLUMNS = {
        "test", "depth", "batch", "tokens/s", "of limit", "limit", "GB/token", "GFLOP/token", "J/token"
    };

    private BenchOutput() {}

    /** Facts, then one line for each result. */
    static String text(BenchmarkReport report, boolean colours) {
        StringBuilder text = new StringBuilder(Table.of(facts(report), colours));
        if (report.results().isEmpty()) {
            return text.toString();
        }
        List<String[]> rows = new ArrayList<>();
        rows.add(COLUMNS);
        report.results().forEach(result -> rows.add(row(result)));
        return text.append('\n').append(Table.of(rows, colours)).toString();
    }

    private static List<String[]> facts(BenchmarkReport report) {
        BenchmarkReport.MachineFigures machine = report.machine();
        BenchmarkReport.ModelFigures model = report.model();
        BenchmarkReport.MemoryFigures memory = report.memory();
        List<String[]> facts = new ArrayList<>();
        facts.add(new String[] {"cpu", machine.cpu() + ", " + vectors(machine.limits())});
        facts.add(new String[] {"jdk", machine.jdk()});
        facts.add(new String[] {"limits", limits(machine.limits())});
        for (MachineLimits limits : machine.scaling()) {
            if (limits.threads() < machine.limits().threads()) {
                facts.add(new String[] {"", limits(limits)});
            }
        }
        facts.add(new String[] {"model", model.name() + ", " + Units.bytes(model.weightBytes()) + " of weights"});
        facts.add(new String[] {
            "one token",
            "reads " + Units.bytes(Math.round(model.bytesPerToken())) + ", takes "
                    + String.format(Locale.ROOT, "%.3g", model.flopsPerToken() / 1e9) + " GFLOP; its cache takes "
                    + Units.bytes(model.cacheBytesPerToken())
        });
        facts.add(new String[] {
            "memory",
            memory.residentBytes() == 0
                    ? "unknown"
                    : Units.bytes(memory.residentBytes()) + " resident: weights, "
                            + Units.bytes(memory.cacheBytes()) + " of cache, " + Units.bytes(memory.otherBytes())
                            + " else"
        });
        return facts;
    }

    private static String vectors(MachineLimits limits) {
        return limits.vectorBits() == 0 ? "no vectors" : "vectors of " + limits.vectorBits() + " bits";
    }

    private static String limits(MachineLimits limits) {
        return String.format(
                Locale.ROOT,
                "%.1f GB/s, %.1f GFLOPS with %d %s",
                limits.readGbps(),
                limits.fmaGflops(),
                limits.threads(),
                limits.threads() == 1 ? "thread" : "threads");
    }

    private static String[] row(BenchmarkResult result) {
        return new String[] {
            result.workload().name(),
            Integer.toString(result.workload().depth()),
            Integer.toString(result.workload().batch()),
            figure(result.tokensPerSecond(), result.tokensPerSecond()) + " ± "
                    + figure(result.spread(), result.tokensPerSecond()),
            String.format(Locale.ROOT, "%.1f %%", 100 * result.shareOfLimit()),
            name(result.limit()),
            String.format(Locale.ROOT, "%.3g", result.bytesPerToken() / 1e9),
            String.format(Locale.ROOT, "%.3g", result.flopsPerToken() / 1e9),
            result.energyPerToken().isPresent()
                    ? String.format(Locale.ROOT, "%.3g", result.energyPerToken().getAsDouble())
                    : "-"
        };
    }

    private static String name(BenchmarkResult.Limit limit) {
        return limit.name().toLowerCase(Locale.ROOT);
    }

    /** Three digits or more: as many decimals as another figure needs. */
    private static String figure(double value, double like) {
        return String.format(Locale.ROOT, like < 10 ? "%.2f" : like < 100 ? "%.1f" : "%.0f", value);
    }

    /** The object of {@code --json}. */
    static Map<String, Object> object(BenchmarkReport report) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("machine", machine(report.machine()));
        object.put("model", model(report.model()));
        object.put("memory", memory(report.memory()));
        object.put("results", report.results().stream().map(BenchOutput::result).toList());
        return object;
    }

    private static Map<String, Object> machine(BenchmarkReport.MachineFigures machine) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("cpu", machine.cpu());
        object.put("jdk", machine.jdk());
        object.put("vector_bits", machine.limits().vectorBits());
        object.putAll(limitsObject(machine.limits()));
        object.put(
                "scaling",
                machine.scaling().stream().map(BenchOutput::limitsObject).toList());
        return object;
    }

    private static Map<String, Object> limitsObject(MachineLimits limits) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("threads", limits.threads());
        object.put("read_gbps", limits.readGbps());
        object.put("fma_gflops", limits.fmaGflops());
        return object;
    }

    private static Map<String, Object> model(BenchmarkReport.ModelFigures model) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", model.name());
        object.put("bytes_per_token", model.bytesPerToken());
        object.put("flops_per_token", model.flopsPerToken());
        object.put("weight_bytes", model.weightBytes());
        object.put("cache_bytes_per_token", model.cacheBytesPerToken());
        return object;
    }

    private static Map<String, Object> memory(BenchmarkReport.MemoryFigures memory) {
        boolean known = memory.residentBytes() > 0;
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("resident_bytes", known ? memory.residentBytes() : null);
        object.put("cache_bytes", memory.cacheBytes());
        object.put("other_bytes", known ? memory.otherBytes() : null);
        return object;
    }

    private static Map<String, Object> result(BenchmarkResult result) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", result.workload().name());
        object.put("depth", result.workload().depth());
        object.put("batch", result.workload().batch());
        object.put("tokens_per_second", result.tokensPerSecond());
        object.put("spread", result.spread());
        object.put("repetitions", result.repetitions());
        object.put("share_of_limit", result.shareOfLimit());
        object.put("limit", name(result.limit()));
        object.put("limit_tokens_per_second", result.limitTokensPerSecond());
        object.put("bytes_per_token", result.bytesPerToken());
        object.put("flops_per_token", result.flopsPerToken());
        object.put(
                "energy_j_per_token",
                result.energyPerToken().isPresent() ? result.energyPerToken().getAsDouble() : null);
        object.put("phases", result.phases().stream().map(BenchOutput::phase).toList());
        return object;
    }

    private static Map<String, Object> phase(BenchmarkResult.PhaseLimit phase) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", phase.name());
        object.put("bytes_per_token", phase.bytes());
        object.put("flops_per_token", phase.flops());
        object.put("limit_seconds_per_token", phase.limitSeconds());
        return object;
    }
}
