package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.models.bench.BenchmarkReport;
import dev.remora.models.bench.BenchmarkResult;
import dev.remora.models.bench.MachineLimits;
import dev.remora.models.bench.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    @Test
    void aPolicyIsNamedBesideTheModel() {
        Run run = Run.of(
                "bench",
                "--prompt",
                "0",
                "--generate",
                "2",
                "--depth",
                "0",
                "--repetitions",
                "1",
                "--threads",
                "2",
                "--read-memory",
                "16",
                "--policy",
                "topk:2",
                "--json");
        assertEquals(0, run.code(), run.err());
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals("remora-tiny, policy topk:2", report.object("model").string("name"));
        Run wrong = Run.of("bench", "--policy", "topk:5");
        assertEquals(2, wrong.code(), wrong.err());
        assertTrue(wrong.err().contains("--policy: topk: expected at most num_experts_per_tok = 4"), wrong.err());
    }

    @Test
    void jsonHasTheKeysThatAreDocumented() {
        Run run = Run.of(
                "bench",
                "--prompt",
                "8",
                "--generate",
                "2",
                "--depth",
                "64",
                "--repetitions",
                "1",
                "--threads",
                "2",
                "--read-memory",
                "16",
                "--json");
        assertEquals(0, run.code(), run.err());
        assertEquals(1, run.out().lines().count(), "one line of JSON");
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals(Set.of("machine", "model", "memory", "results"), report.keys());
        JsonObject machine = report.object("machine");
        assertEquals(
                Set.of("cpu", "jdk", "vector_bits", "threads", "read_gbps", "fma_gflops", "scaling"), machine.keys());
        assertEquals(2, machine.integer("threads"));
        assertPositive(machine, "read_gbps", "fma_gflops");
        JsonObject model = report.object("model");
        assertEquals(
                Set.of("name", "bytes_per_token", "flops_per_token", "weight_bytes", "cache_bytes_per_token"),
                model.keys());
        assertEquals("remora-tiny", model.string("name"));
        assertPositive(model, "bytes_per_token", "flops_per_token", "weight_bytes");
        assertEquals(
                Set.of("resident_bytes", "cache_bytes", "other_bytes"),
                report.object("memory").keys());
        List<Object> results = report.array("results");
        assertEquals(2, results.size());
        for (Object item : results) {
            JsonObject result = JsonObject.of(item, "result");
            assertEquals(
                    Set.of(
                            "name",
                            "depth",
                            "batch",
                            "tokens_per_second",
                            "spread",
                            "repetitions",
                            "share_of_limit",
                            "limit",
                            "limit_tokens_per_second",
                            "bytes_per_token",
                            "flops_per_token",
                            "energy_j_per_token",
                            "phases"),
                    result.keys());
            assertEquals(64, result.integer("depth"));
            assertTrue(Set.of("bandwidth", "arithmetic").contains(result.string("limit")));
            assertPositive(result, "tokens_per_second", "share_of_limit", "bytes_per_token", "flops_per_token");
        }
        assertEquals("pp8", JsonObject.of(results.getFirst(), "result").string("name"));
        assertEquals("tg2", JsonObject.of(results.getLast(), "result").string("name"));
    }

    @Test
    void peopleGetATable() {
        MachineLimits limits = new MachineLimits(29.5, 410.25, 512, 2);
        BenchmarkResult result = new BenchmarkResult(
                new Workload(Workload.Kind.GENERATE, 128, 4096, 4),
                12.345,
                0.25,
                List.of(12.0, 12.5),
                15.0,
                BenchmarkResult.Limit.BANDWIDTH,
                2.5e9,
                4.9e9,
                OptionalDouble.of(3.21),
                List.of());
        BenchmarkReport report = new BenchmarkReport(
                new BenchmarkReport.MachineFigures(
                        "A CPU", "25", limits, List.of(new MachineLimits(15, 210, 512, 1), limits)),
                new BenchmarkReport.ModelFigures("a model", 5_500_000_000L, 31_104, 2.73e9, 4.9e9),
                new BenchmarkReport.MemoryFigures(6_000_000_000L, 100_000_000, 400_000_000),
                List.of(result));
        assertEquals("""
                cpu        A CPU, vectors of 512 bits
                jdk        25
                limits     29.5 GB/s, 410.3 GFLOPS with 2 threads
                           15.0 GB/s, 210.0 GFLOPS with 1 thread
                model      a model, 5.50 GB of weights
                one token  reads 2.73 GB, takes 4.90 GFLOP; its cache takes 31.1 kB
                memory     6.00 GB resident: weights, 100 MB of cache, 400 MB else

                test   depth  batch  tokens/s    of limit  limit      GB/token  GFLOP/token  J/token
                tg128  4096   4      12.3 ± 0.3  82.3 %    bandwidth  2.50      4.90         3.21
                """, BenchOutput.text(report, false));
    }

    @Test
    void aFolderThatHoldsSomethingIsNotOverwritten(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("notes.txt"), "mine");
        Run run = Run.of("bench", "--synthetic", "deepseek-v2-lite,layers=1,experts=8", "--save", folder.toString());
        assertEquals(1, run.code(), run.err());
        assertTrue(run.err().contains(folder.toString()), run.err());
        assertEquals("mine", Files.readString(folder.resolve("notes.txt")));
    }

    @Test
    void whatDoesNotFitIsSaidBeforeAnythingIsWritten(@TempDir Path folder) {
        Path save = folder.resolve("saved");
        Run run = Run.of(
                "bench",
                "--synthetic",
                "deepseek-v2-lite,layers=1,experts=8",
                "--save",
                save.toString(),
                "--depth",
                "1000000000");
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().startsWith("remora bench: --depth: expected 0 to "), run.err());
        assertFalse(Files.exists(save));
    }

    @Test
    void aMissingModelIsExitCode3() {
        Run run = Run.of("bench", "--model", "/no/such/folder");
        assertEquals(3, run.code(), run.err());
        assertTrue(run.err().startsWith("remora bench: /no/such/folder"), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    private static void assertPositive(JsonObject object, String... keys) {
        for (String key : keys) {
            double value = object.number(key);
            assertTrue(value > 0 && Double.isFinite(value), key + ": " + value);
        }
    }
}
