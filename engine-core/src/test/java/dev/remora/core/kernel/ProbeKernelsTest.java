package dev.remora.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Allocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("widths")
class ProbeKernelsTest {
    private static final int BYTES = 37 * Probe.BLOCK;

    @Test
    void readingSumsEveryInt() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = random(arena);
            int expected = 0;
            for (long i = 12; i < 12 + BYTES; i += 4) {
                expected += memory.get(ValueLayout.JAVA_INT_UNALIGNED, i);
            }
            assertEquals(expected, ProbeReference.sum(memory, 12, BYTES));
            assertEquals(expected, Probe.sum(memory, 12, BYTES));
        }
    }

    @Test
    void chainsEqualTheirTwins() {
        float[] expected = chains();
        float[] actual = chains();
        ProbeReference.multiplyAdd(1.37f, expected, 1000);
        Probe.multiplyAdd(1.37f, actual, 1000);
        assertArrayEquals(expected, actual);
        assertTrue(expected[Probe.CHAINS - 1] > 1000 && expected[Probe.CHAINS] == chains()[Probe.CHAINS]);
    }

    @Test
    void nothingIsAllocated() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = random(arena);
            float[] chains = chains();
            Allocation.assertNone("sum", () -> chains[0] += Probe.sum(memory, 0, BYTES));
            Allocation.assertNone("multiplyAdd", () -> Probe.multiplyAdd(1.37f, chains, 100));
        }
    }

    private static MemorySegment random(Arena arena) {
        MemorySegment memory = arena.allocate(BYTES + 64, 64);
        SplittableRandom random = new SplittableRandom(7);
        for (long i = 0; i < memory.byteSize(); i += 4) {
            memory.set(ValueLayout.JAVA_INT, i, random.nextInt());
        }
        return memory;
    }

    private static float[] chains() {
        SplittableRandom random = new SplittableRandom(8);
        float[] chains = new float[Probe.CHAINS + 3];
        for (int i = 0; i < chains.length; i++) {
            chains[i] = (float) random.nextDouble(-1, 1);
        }
        return chains;
    }
}
