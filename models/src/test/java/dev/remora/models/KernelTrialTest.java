package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KernelTrialTest {
    @Test
    void everyKernelHasTheBitsOfItsDefinition() {
        try (Arena arena = Arena.ofConfined()) {
            List<KernelTrial.Operation> operations = new KernelTrial(arena).operations();
            Set<String> names = new HashSet<>();
            for (KernelTrial.Operation operation : operations) {
                names.add(operation.name());
                for (int call = 0; call < 50; call++) {
                    operation.run().run();
                    assertTrue(operation.check().getAsBoolean(), operation.name());
                }
            }
            assertEquals(operations.size(), names.size(), "names tell kernels apart: " + names);
        }
    }

    @Test
    void theResultOfAnotherKernelIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            List<KernelTrial.Operation> operations = new KernelTrial(arena).operations();
            for (int i = 0; i < operations.size(); i++) {
                KernelTrial.Operation other = operations.get((i + 1) % operations.size());
                operations.get(i).run().run();
                if (other.name().contains("one row")) {
                    assertTrue(
                            refuses(other),
                            other.name() + " takes what " + operations.get(i).name() + " computed");
                }
            }
        }
    }

    private static boolean refuses(KernelTrial.Operation operation) {
        for (int call = 0; call < 100; call++) {
            if (!operation.check().getAsBoolean()) {
                return true;
            }
        }
        return false;
    }
}
