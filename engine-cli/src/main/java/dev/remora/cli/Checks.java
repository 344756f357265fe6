package dev.remora.cli;

import dev.remora.models.Generation;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.Machine;
import dev.remora.models.ModelInfo;
import dev.remora.models.SelfTest;
import dev.remora.models.Session;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** What {@code doctor} looks at. */
final class Checks {
    private static final Runtime.Version FLOOR = Runtime.Version.parse("25.0.3");
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    private static final int TRIAL_TOKENS = 16;

    private Checks() {}

    static List<Check> all(Supplier<Llm> model, Function<ModelInfo, String> name) {
        Machine machine = Machine.probe();
        List<Check> checks = new ArrayList<>();
        checks.add(java());
        checks.add(flags());
        checks.add(vectors(machine));
        checks.add(cores(machine));
        checks.add(memory(machine));
        hugePages().ifPresent(checks::add);
        checks.add(kernels(SelfTest.run()));
        checks.add(model(model, name));
        return checks;
    }

    private static Check java() {
        return java(Runtime.version(), System.getProperty("java.vendor") + ", " + System.getProperty("java.vm.name"));
    }

    static Check java(Runtime.Version version, String vendor) {
        String found = version + " (" + vendor + ")";
        if (version.compareToIgnoreOptional(FLOOR) < 0) {
            return Check.warning(
                    "Java",
                    found,
                    "JDKs before " + FLOOR + " have faults in their garbage collectors; take a newer one.");
        }
        if (version.feature() > FLOOR.feature()) {
            return Check.warning("Java", found, "Remora is tested on JDK " + FLOOR.feature() + ".");
        }
        return Check.ok("Java", found);
    }

    static Check vectors(Machine machine) {
        if (machine.unexpectedlyScalar()) {
            return Check.warning(
                    "vectors", "none: scalar kernels run, many times slower", machine.vectorReason() + ".");
        }
        String width = machine.vectorBits() == 0 ? "none" : machine.vectorBits() + " bits";
        return Check.ok("vectors", width + ": " + machine.vectorReason());
    }

    static Check kernels(List<SelfTest.Result> results) {
        List<String> wrong = results.stream()
                .filter(result -> !result.passed())
                .map(SelfTest.Result::kernel)
                .toList();
        return wrong.isEmpty()
                ? Check.ok("kernels", "all " + results.size() + " give the bits of their definition")
                : Check.failed(
                        "kernels",
                        "wrong: " + String.join("; ", wrong),
                        "Try another JDK, or -Dremora.kernels=scalar in REMORA_JAVA_OPTS, and report this CPU and JDK.");
    }

    private static Check flags() {
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        String heap = ", heap up to " + Units.bytes(Runtime.getRuntime().maxMemory());
        return Check.ok("JVM flags", (flags.isEmpty() ? "none" : String.join(" ", flags)) + heap);
    }

    private static Check cores(Machine machine) {
        String found = machine.physicalCores() + " physical, " + machine.logicalCores() + " logical for this process"
                + cpuName().map(name -> ", " + name).orElse("");
        return Check.ok("cores", found);
    }

    private static Optional<String> cpuName() {
        return read(Path.of("/proc/cpuinfo"))
                .flatMap(text -> text.lines()
                        .filter(line -> line.startsWith("model name"))
                        .findFirst()
                        .map(line -> line.substring(line.indexOf(':') + 1).strip()));
    }

    private static Check memory(Machine machine) {
        String bytes = machine.availableBytes() == Long.MAX_VALUE ? "unknown" : Units.bytes(machine.availableBytes());
        return Check.ok("memory", bytes + " free (" + machine.memoryBoundBy() + ")");
    }

    private static Optional<Check> hugePages() {
        return read(HUGE_PAGES).map(state -> {
            String chosen = state.replaceAll(".*\\[(\\w+)].*", "$1");
            return Check.ok("huge pages", "transparent: " + chosen);
        });
    }

    private static Check model(Supplier<Llm> load, Function<ModelInfo, String> name) {
        long start = System.nanoTime();
        try (Llm llm = load.get();
                Session session = llm.session()) {
            double loaded = (System.nanoTime() - start) / 1e9;
            int bos = llm.info().specialIds().bos().orElse(0);
            GenerationOptions options =
                    GenerationOptions.greedy().withMaxTokens(TRIAL_TOKENS).withIgnoreEos(true);
            long before = System.nanoTime();
            try (Generation generation = session.generate(new int[] {bos}, options)) {
                long events = generation.stream().count();
                double seconds = (System.nanoTime() - before) / 1e9;
                return Check.ok(
                        "model",
                        String.format(
                                Locale.ROOT,
                                "%s: loaded in %.2f s, %d tokens in %.2f s",
                                name.apply(llm.info()),
                                loaded,
                                Math.max(0, events - 1),
                                seconds));
            }
        } catch (RuntimeException e) {
            return Check.failed("model", e.getMessage() == null ? e.toString() : e.getMessage(), "");
        }
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
