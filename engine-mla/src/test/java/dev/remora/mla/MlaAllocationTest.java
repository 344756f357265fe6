package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step allocates nothing, neither on the engine's thread nor on a worker. */
@Tag("widths")
class MlaAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @CsvSource({
        // expanded, rows, format
        "false, 1, BF16",
        "false, 5, F32",
        "true, 3, BF16",
    })
    void aStepAllocatesNothing(boolean expanded, int rows, CacheFormat format) {
        Set<Long> before = workers();
        Evaluation evaluation = expanded ? Evaluation.EXPANDED : Evaluation.ABSORBED;
        try (MlaFixture fixture = MlaFixture.small();
                MlaFixture.Engine engine = fixture.engine(evaluation, format, 2, 100)) {
            Set<Long> ids = new HashSet<>(workers());
            ids.removeAll(before);
            assertEquals(1, ids.size());
            ids.add(Thread.currentThread().threadId());
            long[] threads = ids.stream().mapToLong(id -> id).toArray();
            float[] h = fixture.input(200, 1);
            CachePool.Sequence sequence = engine.open();
            engine.fill(sequence, h, 100);
            // Patient, because the compiler shares the machine; several rounds, because it may change its mind.
            long allocated = 0;
            int clean = 0;
            for (int round = 0; round < 300 && clean < 5; round++) {
                steps(engine, sequence, h, rows);
                long start = allocatedBytes(threads);
                steps(engine, sequence, h, rows);
                allocated = allocatedBytes(threads) - start;
                clean = allocated < 2048 ? clean + 1 : 0;
            }
            assertTrue(clean >= 5, allocated + " bytes in 100 steps");
        }
    }

    private static void steps(MlaFixture.Engine engine, CachePool.Sequence sequence, float[] h, int rows) {
        for (int i = 0; i < 100; i++) {
            engine.clear();
            engine.add(sequence, h, rows);
            engine.forward();
        }
    }

    private static long allocatedBytes(long[] threads) {
        return Arrays.stream(THREADS.getThreadAllocatedBytes(threads)).sum();
    }

    private static Set<Long> workers() {
        Set<Long> ids = new HashSet<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("remora-worker-")) {
                ids.add(thread.threadId());
            }
        }
        return ids;
    }
}
