package dev.remora.bench;

import dev.remora.bench.support.KernelBenchmark;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/**
 * Runs the suite and ends with one line for each measurement. Takes JMH's own options, and {@code --smoke}: everything
 * once with tiny sizes in this process, to see that it is right.
 */
public final class Main {
    private static final String SMOKE = "--smoke";

    /** No fork, one invocation without warming up, the first error ends the run. */
    private static final List<String> SMOKE_OPTIONS = List.of(
            "-f",
            "0",
            "-bm",
            "ss",
            "-wi",
            "0",
            "-i",
            "1",
            "-foe",
            "true",
            "-v",
            "SILENT",
            "-p",
            "size=" + KernelBenchmark.TINY);

    private Main() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException, IOException {
        List<String> arguments = new ArrayList<>(List.of(args));
        boolean smoke = arguments.remove(SMOKE);
        if (smoke) {
            arguments.addAll(SMOKE_OPTIONS);
        }
        CommandLineOptions options = new CommandLineOptions(arguments.toArray(String[]::new));
        if (options.shouldHelp()
                || options.shouldList()
                || options.shouldListWithParams()
                || options.shouldListProfilers()
                || options.shouldListResultFormats()) {
            org.openjdk.jmh.Main.main(arguments.toArray(String[]::new));
            return;
        }
        Collection<RunResult> results = new Runner(options).run();
        System.out.print(smoke ? results.size() + " benchmarks are right%n".formatted() : Summary.of(results));
    }
}
