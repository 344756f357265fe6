package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.remora.moe.policy.Fallback;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class ExpertCountersTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Two rows: experts 1 and 3 with equal weights, then expert 3 alone. */
    private static Routing twoRows() {
        Routing routing = new Routing(2, 2);
        routing.resize(2);
        routing.insert(0, 3);
        routing.insert(0, 1);
        routing.setWeight(0, 0, 0.75f);
        routing.setWeight(0, 1, 0.75f);
        routing.insert(1, 3);
        routing.setWeight(1, 0, 0.3f);
        return routing;
    }

    @Test
    void rowsChoicesAndTheirEntropyAreCountedPerLayer() {
        ExpertCounters counters = new ExpertCounters(3, 4);
        counters.routed(1, twoRows());
        counters.routed(1, twoRows());
        assertArrayEquals(new long[] {0, 2, 0, 4}, counters.load(1));
        assertArrayEquals(new long[4], counters.load(2));
        assertEquals(4, counters.rows(1));
        assertEquals(1.5, counters.expertsPerRow(1));
        assertEquals(0.5, counters.entropyBits(1), 1e-6, "one bit and none");
        assertEquals(0, counters.expertsPerRow(0));
        assertEquals(0, counters.entropyBits(0));
    }

    @Test
    void entropyOfUnevenWeights() {
        Routing routing = new Routing(1, 3);
        routing.resize(1);
        for (int expert = 0; expert < 3; expert++) {
            routing.insert(0, expert);
        }
        routing.setWeight(0, 0, 2);
        routing.setWeight(0, 1, 1);
        routing.setWeight(0, 2, 1);
        assertEquals(1.5, ExpertCounters.bits(routing, 0), 1e-12);
        routing.clear(0);
        assertEquals(0, ExpertCounters.bits(routing, 0), "a row without experts");
    }

    @Test
    void observersCountAndResetForgets() {
        ExpertCounters counters = new ExpertCounters(2, 4);
        counters.overflow(1, 2, 0);
        counters.overflow(1, 3, 1);
        counters.fallback(0, 1, Fallback.Step.FP8, 0);
        counters.hit(1, 1);
        counters.miss(1, 2);
        counters.loaded(1, 2, 1000, 50);
        counters.loaded(1, 2, 1000, 70);
        assertEquals(1, counters.overflow(1, 2));
        assertEquals(2, counters.overflow());
        assertEquals(1, counters.fallback(0, 1, Fallback.Step.FP8));
        assertEquals(0, counters.fallback(Fallback.Step.NEXT));
        assertEquals(1, counters.hits());
        assertEquals(1, counters.misses(1, 2));
        assertEquals(2000, counters.bytesRead(1, 2));
        assertEquals(120, counters.loadNanos());
        counters.reset();
        assertEquals(0, counters.overflow() + counters.hits() + counters.misses() + counters.bytesRead());
        assertEquals(0, counters.fallback(Fallback.Step.FP8) + counters.loadNanos());
    }

    @Test
    void countingAllocatesNothing() {
        ExpertCounters counters = new ExpertCounters(3, 4);
        Routing routing = twoRows();
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 50 && allocated > 0; round++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1000; i++) {
                counters.routed(1, routing);
                counters.overflow(1, 2, 0);
                counters.fallback(1, 2, Fallback.Step.NEXT, 0);
                counters.hit(1, 1);
                counters.loaded(1, 1, 10, 10);
            }
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        }
        assertEquals(0, allocated);
        assertTrue(counters.rows(1) >= 2000);
    }
}
