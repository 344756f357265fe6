package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Activations;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.models.ModelInfo.PrecisionRow;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Activations rounded to FP8, in a whole model. */
class Fp8ActivationsTest {
    private static final LoadOptions ROUNDED = Logits.EXACT.withActivations(Activations.FP8);

    @Test
    void logitsChangeAndThePrecisionSaysSo() {
        int[] ids = Logits.ints(CheckpointSource.ofFolder(TestCheckpoint.folder("v3-fp8")), "input_ids");
        try (Llm exact = Llm.load(TestCheckpoint.folder("v3-fp8"), Logits.EXACT);
                Llm rounded = Llm.load(TestCheckpoint.folder("v3-fp8"), ROUNDED)) {
            double difference = Logits.difference(Logits.of(exact, ids), Logits.of(rounded, ids));
            assertTrue(difference > 1e-3, () -> "FP8 cannot be this exact; is it in use? " + difference);
            assertTrue(rounded.info()
                    .precision()
                    .contains(new PrecisionRow(
                            "inputs of F8_E4M3 matrices", "rounded to F8_E4M3, one scale for 128", "F32")));
            assertTrue(exact.info().precision().stream()
                    .noneMatch(row -> row.what().startsWith("inputs")));
        }
    }

    @Test
    void threadsDoNotChangeABit() {
        int[] ids = Logits.ints(CheckpointSource.ofFolder(TestCheckpoint.folder("v3-fp8")), "input_ids");
        try (Llm two = Llm.load(TestCheckpoint.folder("v3-fp8"), ROUNDED);
                Llm one = Llm.load(TestCheckpoint.folder("v3-fp8"), ROUNDED.withThreads(1))) {
            List<float[]> expected = Logits.of(one, ids);
            List<float[]> actual = Logits.of(two, ids);
            for (int row = 0; row < expected.size(); row++) {
                assertArrayEquals(expected.get(row), actual.get(row), "row " + row);
            }
        }
    }

    @Test
    void aModelWithoutFp8MatricesRefuses() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> Llm.load(TestCheckpoint.folder("v2-lite"), ROUNDED));
        assertEquals(
                "activations: FP8 rounds what matrices stored as F8_E4M3 multiply, found no such matrix in "
                        + TestCheckpoint.folder("v2-lite") + "; take an FP8 checkpoint, or F32",
                e.getMessage());
    }
}
