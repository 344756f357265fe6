package dev.remora.bench.support;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;

/** A benchmark of a kernel that computes something wrong refuses to start. */
class VerificationTest {
    static Stream<Class<?>> kernelBenchmarks() throws IOException {
        List<Class<?>> classes = BenchmarkList.defaultList().getAll(null, List.of()).stream()
                .map(BenchmarkListEntry::getUserClassQName)
                .<Class<?>>map(VerificationTest::load)
                .filter(KernelBenchmark.class::isAssignableFrom)
                .toList();
        assertTrue(classes.size() >= 12, "found " + classes);
        return classes.stream();
    }

    @ParameterizedTest
    @MethodSource("kernelBenchmarks")
    void aFalsifiedResultIsRefused(Class<?> type) throws ReflectiveOperationException {
        KernelBenchmark benchmark =
                (KernelBenchmark) type.getDeclaredConstructor().newInstance();
        setParameters(benchmark);
        benchmark.prepare();
        try {
            float[] right = benchmark.result().clone();
            assertDoesNotThrow(() -> benchmark.verify(right));
            for (int at : new int[] {0, right.length - 1}) {
                float[] wrong = right.clone();
                wrong[at] += 0.01f * Math.max(1, Math.abs(wrong[at]));
                assertRefused(benchmark, wrong, type, at);
                wrong[at] = Float.NaN;
                assertRefused(benchmark, wrong, type, at);
            }
        } finally {
            benchmark.release();
        }
    }

    private static void assertRefused(KernelBenchmark benchmark, float[] wrong, Class<?> type, int at) {
        assertThrows(IllegalStateException.class, () -> benchmark.verify(wrong), type + ", element " + at);
    }

    @Test
    void anUnknownSizeIsRefused() {
        KernelBenchmark benchmark = new KernelBenchmark() {
            @Override
            protected void build(java.lang.foreign.Arena memory) {}

            @Override
            protected Cost invoke() {
                return new Cost(0, 0, 0);
            }

            @Override
            protected float[] result() {
                return new float[0];
            }

            @Override
            protected void verify(float[] found) {}
        };
        benchmark.size = "small";
        assertThrows(IllegalArgumentException.class, benchmark::prepare);
    }

    /** The first value of each parameter, but the tiny size. */
    private static void setParameters(KernelBenchmark benchmark) throws ReflectiveOperationException {
        for (Class<?> type = benchmark.getClass(); type != Object.class; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                Param param = field.getAnnotation(Param.class);
                if (param != null && !Modifier.isStatic(field.getModifiers())) {
                    String value = param.value()[0];
                    if (field.getType() == int.class) {
                        field.setInt(benchmark, Integer.parseInt(value));
                    } else {
                        field.set(benchmark, value);
                    }
                }
            }
        }
        benchmark.size = KernelBenchmark.TINY;
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
