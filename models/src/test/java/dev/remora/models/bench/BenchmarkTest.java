package dev.remora.models.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CacheFormat;
import dev.remora.models.LoadProgress;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchmarkTest {
    private static final long PROBE = 1 << 24;

    private static BenchmarkOptions options(int prompt, int generate, List<Integer> depths, List<Integer> batches) {
        return new BenchmarkOptions(
                prompt, generate, depths, batches, 2, 2, CacheFormat.BF16, PROBE, RouterPolicy.EXACT);
    }

    @Test
    void measuresTheBundledModel() {
        List<String> said = Collections.synchronizedList(new ArrayList<>());
        BenchmarkReport report = Benchmark.bundled()
                .run(
                        options(40, 4, List.of(100, 100), List.of(1, 3)),
                        progress -> said.add(progress.what()),
                        new Settling(0));

        assertEquals("remora-tiny", report.model().name());
        assertEquals(5 * (64 + 16) * 2, report.model().cacheBytesPerToken());
        assertTrue(report.model().bytesPerToken() < report.model().weightBytes());
        assertPositive(report.model().flopsPerToken());
        assertPositive(report.machine().limits().readGbps());
        assertEquals(
                List.of(1, 2),
                report.machine().scaling().stream().map(MachineLimits::threads).toList());
        assertEquals(3 * 104 * 800, report.memory().cacheBytes());

        assertEquals(
                List.of(
                        "pp40 at depth 100",
                        "tg4 at depth 100",
                        "tg4 at depth 100, 3 sequences",
                        "pp40 at depth 100",
                        "tg4 at depth 100",
                        "tg4 at depth 100, 3 sequences"),
                report.results().stream().map(r -> r.workload().toString()).toList());
        for (BenchmarkResult result : report.results()) {
            assertPositive(result.tokensPerSecond());
            assertPositive(result.shareOfLimit());
            assertPositive(result.bytesPerToken());
            assertPositive(result.flopsPerToken());
            assertEquals(2, result.repetitions().size());
            assertEquals(
                    1 / result.limitTokensPerSecond(),
                    result.phases().stream()
                            .mapToDouble(BenchmarkResult.PhaseLimit::limitSeconds)
                            .sum(),
                    1e-12);
        }
        // The timed steps alone are counted, not those that warmed up.
        BenchmarkResult alone = report.results().get(1);
        assertEquals(alone.bytesPerToken(), report.results().get(4).bytesPerToken());
        assertEquals(alone.flopsPerToken(), report.results().get(4).flopsPerToken());
        // Three rows share all but the experts and the cache.
        assertTrue(report.results().get(2).bytesPerToken() < alone.bytesPerToken());
        assertEquals(alone.flopsPerToken(), report.results().get(2).flopsPerToken(), 1);
        assertTrue(said.contains("tg4 at depth 100, 3 sequences: repetition 2 of 2"), said.toString());
    }

    @Test
    void theMachineAloneCanBeMeasured() {
        BenchmarkReport report =
                Benchmark.bundled().run(options(0, 0, List.of(), List.of(1)), progress -> {}, new Settling(0));
        assertEquals(List.of(), report.results());
        assertPositive(report.machine().limits().fmaGflops());
    }

    @Test
    void withoutMemoryForItTheMachineIsNotMeasuredAgain() {
        assertEquals(Optional.empty(), Benchmark.measureAgain(1, 1L << 50, progress -> {}));
    }

    @Test
    void usualDepthsAreThoseThatTheModelWasMadeFor() {
        BenchmarkOptions options = BenchmarkOptions.defaults();
        assertEquals(
                List.of("pp512 at depth 0", "tg128 at depth 0", "pp512 at depth 4096", "tg128 at depth 4096"),
                options.workloads(16384).stream().map(Workload::toString).toList());
        assertEquals(6, options.workloads(163840).size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-1  | 1    | 0   | 1   | prompt: expected 0 to 1048576, found -1",
                "1   | -1   | 0   | 1   | generate: expected 0 to 1048576, found -1",
                "1   | 1    | -1  | 1   | depth: expected 0 to",
                "1   | 1    | 0   | 0   | batch: expected 1 to 512, found 0",
                "1   | 1    | 0   | 513 | batch: expected 1 to 512, found 513",
                "200 | 1    | 900 | 1   | depth: expected 0 to 824, so that 200 more tokens fit the 1024",
                "1   | 1025 | 0   | 1   | generate: expected at most 1024 tokens",
            })
    void wrongOptionsAreNamed(int prompt, int generate, int depth, int batch, String expected) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> Benchmark.bundled()
                        .run(options(prompt, generate, List.of(depth), List.of(batch)), (LoadProgress progress) -> {}));
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }

    private static void assertPositive(double value) {
        assertTrue(value > 0 && Double.isFinite(value), Double.toString(value));
    }
}
