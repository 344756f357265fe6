package dev.remora.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class SummaryTest {
    @BeforeAll
    static void runBesideOthers() {
        System.setProperty("jmh.ignoreLock", "true");
    }

    @Test
    void aLineNamesTheKernelAndGivesRatesAndShare() throws RunnerException {
        var options = new OptionsBuilder()
                .include("MatvecBenchmark")
                .param("size", "tiny")
                .param("format", "FP8")
                .param("shape", "3072x2048", "576x2048")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(2)
                .measurementTime(TimeValue.milliseconds(50))
                .verbosity(VerboseMode.SILENT)
                .build();

        List<String> lines =
                Summary.of(new Runner(options).run()).strip().lines().toList();

        assertEquals(3, lines.size());
        assertEquals(
                List.of("kernel", "µs", "GB/s", "GFLOPS", "share", "±"),
                List.of(lines.get(0).split(" +")));
        assertTrue(lines.get(1).matches("Matvec format=FP8 shape=3072x2048( +[0-9.]+){4}% +[0-9.]+%"), lines.get(1));
        double[] figures = List.of(lines.get(1).replaceAll("^.*2048 +|%", "").split(" +")).stream()
                .mapToDouble(Double::parseDouble)
                .toArray();
        // 192 x 128 weights: two operations for each in the time that the line gives.
        assertEquals(2e-3 * 192 * 128 / figures[0], figures[2], 0.05 * figures[2] + 0.01);
        assertTrue(lines.get(2).startsWith("Matvec format=FP8 shape=576x2048 "), lines.get(2));
    }
}
