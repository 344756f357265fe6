package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EvaluationTest {
    @ParameterizedTest
    @CsvSource({
        // model, c, nope, rope, v, rows
        "DeepSeek-V3, 512, 128, 64, 128, 171",
        "GLM-4.7-Flash, 512, 192, 64, 256, 398",
        "Mistral-Small-4, 256, 64, 64, 128, 154",
        "MiniCPM3, 256, 64, 32, 64, 85",
    })
    void releasedModelsBreakEven(String model, int c, int nope, int rope, int v, int rows) {
        MlaConfig config = MlaFixture.config(16, 64, 0, c, nope, rope, v);
        assertEquals(rows, Math.round(config.breakEvenRows()), model);
        // So deep that N^2 / 2 no longer counts, this is the whole decision.
        int cached = 100_000_000;
        int floor = (int) Math.floor(config.breakEvenRows());
        assertFalse(Evaluation.CHEAPEST.expands(config, cached, floor), model);
        assertTrue(Evaluation.CHEAPEST.expands(config, cached, floor + 1), model);
    }

    /** N (T + N/2) (2c + r - nope - r - v) > c (nope + v) T, in whole numbers. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 64, 100, 512, 4096, 131_072})
    void expandsWhereItIsCheaper(int cached) {
        MlaConfig config = MlaFixture.config(128, 64, 0, 512, 128, 64, 128);
        boolean before = false;
        for (int rows = 1; rows <= 200; rows++) {
            long saved = (long) rows * (2L * cached + rows) * (2 * 512 - 128 - 128);
            boolean expected = saved > 2L * 512 * (128 + 128) * cached;
            assertEquals(expected, Evaluation.CHEAPEST.expands(config, cached, rows), rows + " rows");
            assertTrue(expected || !before);
            before = expected;
        }
        assertTrue(before);
    }

    @Test
    void aSmallLatentIsNeverExpandedAgain() {
        for (int v : new int[] {128, 256}) {
            MlaConfig config = MlaFixture.config(16, 64, 0, 128, 128, 64, v);
            assertEquals(Double.POSITIVE_INFINITY, config.breakEvenRows());
            assertFalse(Evaluation.CHEAPEST.expands(config, 1, 1));
            assertFalse(Evaluation.CHEAPEST.expands(config, 1, 1_000_000));
            assertTrue(Evaluation.CHEAPEST.expands(config, 0, 1));
        }
    }

    @Test
    void aNewSequenceIsExpanded() {
        MlaConfig config = MlaFixture.config(16, 64, 0, 512, 128, 64, 128);
        assertTrue(Evaluation.CHEAPEST.expands(config, 0, 1));
        assertTrue(Evaluation.CHEAPEST.expands(config, 0, 1000));
        assertFalse(Evaluation.ABSORBED.expands(config, 0, 1000));
        assertTrue(Evaluation.EXPANDED.expands(config, 1000, 1));
    }

    @Test
    void sequencesOfAStepDecideApart() {
        try (MlaFixture fixture = MlaFixture.small();
                MlaFixture.Engine engine = fixture.engine(Evaluation.CHEAPEST, CacheFormat.F32, 1, 200)) {
            float[] h = fixture.input(300, 1);
            CachePool.Sequence deep = engine.open();
            CachePool.Sequence verifying = engine.open();
            CachePool.Sequence prefilling = engine.open();
            CachePool.Sequence fresh = engine.open();
            engine.fill(deep, h, 70);
            engine.fill(verifying, h, 50);
            engine.fill(prefilling, h, 10);
            engine.add(deep, h, 1);
            engine.add(prefilling, h, 100);
            engine.add(verifying, h, 4);
            engine.add(fresh, h, 3);
            engine.forward();
            assertFalse(engine.workspace.expands(engine.batch, 0));
            assertTrue(engine.workspace.expands(engine.batch, 1));
            assertFalse(engine.workspace.expands(engine.batch, 2));
            assertTrue(engine.workspace.expands(engine.batch, 3));
            AbsorbedPlan plan = engine.workspace.absorbed();
            assertEquals(5, plan.rows());
            int[] segments = {0, 2, 2, 2, 2};
            int[] visible = {71, 51, 52, 53, 54};
            for (int i = 0; i < 5; i++) {
                assertEquals(segments[i], plan.segment(i));
                assertEquals(visible[i], plan.visible(i));
            }
        }
    }
}
