package dev.remora.bench;

import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;

/** Every benchmark, with every combination of its parameters, computes the right thing; nothing is timed. */
class SmokeTest {
    /** Without these the suite would have a hole. */
    private static final List<String> FAMILIES = List.of(
            "MatvecBenchmark",
            "MatmulBenchmark",
            "AbsorbedAttentionBenchmark",
            "ExpandedAttentionBenchmark",
            "RouterBenchmark",
            "PolicyBenchmark",
            "ExpertsBenchmark",
            "RmsNormBenchmark",
            "RopeBenchmark",
            "SoftmaxBenchmark",
            "SwiGluBenchmark",
            "SamplingBenchmark",
            "TokenizerBenchmark",
            "Fp8CodecBenchmark");

    @BeforeAll
    static void runBesideOthers() {
        // JMH takes a lock for the whole machine, against noise, which does not matter here.
        System.setProperty("jmh.ignoreLock", "true");
    }

    @Test
    void everyBenchmarkIsRight() throws RunnerException, IOException, URISyntaxException {
        Collection<RunResult> results = Main.smoke();

        Set<String> ran = results.stream()
                .map(result -> result.getParams().getBenchmark())
                .map(name -> name.substring(0, name.lastIndexOf('.')))
                .map(name -> name.substring(name.lastIndexOf('.') + 1))
                .collect(toCollection(TreeSet::new));
        assertEquals(benchmarkClasses(), ran);
        assertTrue(ran.containsAll(FAMILIES), () -> "expected " + FAMILIES + ", found " + ran);
    }

    /** By name: also a class that JMH would not find. */
    private static Set<String> benchmarkClasses() throws IOException, URISyntaxException {
        Path classes = Path.of(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.list(classes.resolve("dev/remora/bench"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("Benchmark.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .filter(name -> !isAbstract(name))
                    .collect(toCollection(TreeSet::new));
        }
    }

    private static boolean isAbstract(String name) {
        try {
            return java.lang.reflect.Modifier.isAbstract(
                    Class.forName("dev.remora.bench." + name).getModifiers());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
