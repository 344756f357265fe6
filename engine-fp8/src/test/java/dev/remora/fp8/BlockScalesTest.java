package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockScalesTest {
    @Test
    void anElementHasTheFactorOfItsBlock() {
        BlockScales scales = new BlockScales("w", new float[] {1, 2, 3, 4, 5, 6}, 128, 100, 129, 201);
        assertEquals(1f, scales.at(0, 0));
        assertEquals(1f, scales.at(127, 99));
        assertEquals(2f, scales.at(127, 100));
        assertEquals(3f, scales.at(0, 200));
        assertEquals(4f, scales.at(128, 99));
        assertEquals(6f, scales.at(128, 200));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void factorsThatAreNoNumbersAreRefused(float bad) {
        float[] factors = {1, 1, 1, 1, bad, 1};
        CheckpointException e = assertThrows(
                CheckpointException.class,
                () -> new BlockScales("model.q.weight_scale_inv", factors, 128, 128, 256, 384));
        assertTrue(e.getMessage().startsWith("model.q.weight_scale_inv: "), e.getMessage());
        assertTrue(e.getMessage().contains("found " + bad + " for block (1, 1)"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 7})
    void theNumberOfFactorsIsChecked(int count) {
        float[] factors = new float[count];
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new BlockScales("w", factors, 128, 128, 129, 257));
        assertTrue(e.getMessage().contains("w: " + count + " factors"), e.getMessage());
    }
}
