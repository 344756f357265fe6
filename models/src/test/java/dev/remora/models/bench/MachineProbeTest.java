package dev.remora.models.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.kernel.VectorSupport;
import java.util.List;
import org.junit.jupiter.api.Test;

class MachineProbeTest {
    private static final long SMALL = 1 << 22;

    @Test
    void measuresEachNumberOfThreads() {
        List<MachineLimits> limits = MachineProbe.measureEach(3, SMALL);
        assertEquals(
                List.of(1, 2, 3), limits.stream().map(MachineLimits::threads).toList());
        for (MachineLimits limit : limits) {
            assertTrue(limit.readGbps() > 0 && Double.isFinite(limit.readGbps()), limit.toString());
            assertTrue(limit.fmaGflops() > 0 && Double.isFinite(limit.fmaGflops()), limit.toString());
            assertEquals(VectorSupport.BITS, limit.vectorBits());
        }
    }

    @Test
    void refusesMemoryThatIsTooSmallOrTooLarge() {
        assertThrows(IllegalArgumentException.class, () -> MachineProbe.measure(1, SMALL - 1));
        assertThrows(InsufficientMemoryException.class, () -> MachineProbe.measure(1, Long.MAX_VALUE - 1));
    }

    @Test
    void theSlowerOfReadingAndComputingIsTheLimit() {
        MachineLimits limits = new MachineLimits(20, 400, 512, 2);
        assertEquals(2, limits.seconds(40e9, 100e9));
        assertEquals(3, limits.seconds(40e9, 1200e9));
    }
}
