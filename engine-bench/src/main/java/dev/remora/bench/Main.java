package dev.remora.bench;

import dev.remora.bench.support.KernelBenchmark;
import java.io.IOException;
import java.util.Collection;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the suite and ends with one line for each measurement. Takes JMH's own options, or the one word {@code smoke}:
 * everything once with tiny sizes in this process, to see that it is right.
 */
public final class Main {
    private static final String SMOKE = "smoke";

    private Main() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException, IOException {
        if (args.length == 1 && args[0].equals(SMOKE)) {
            System.out.printf("%d benchmarks are right%n", smoke().size());
            return;
        }
        CommandLineOptions options = new CommandLineOptions(args);
        if (options.shouldHelp()
                || options.shouldList()
                || options.shouldListWithParams()
                || options.shouldListProfilers()
                || options.shouldListResultFormats()) {
            org.openjdk.jmh.Main.main(args);
            return;
        }
        System.out.print(Summary.of(new Runner(options).run()));
    }

    /**
     * Every benchmark with every combination of its parameters, at tiny sizes: set-up, which verifies, and one invocation.
     *
     * @throws RunnerException if one of them fails
     */
    static Collection<RunResult> smoke() throws RunnerException {
        return new Runner(new OptionsBuilder()
                        .param("size", KernelBenchmark.TINY)
                        .forks(0)
                        .mode(Mode.SingleShotTime)
                        .warmupIterations(0)
                        .measurementIterations(1)
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .build())
                .run();
    }
}
