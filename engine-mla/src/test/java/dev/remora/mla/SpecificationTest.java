package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both evaluations against the equations. */
@Tag("widths")
class SpecificationTest {
    private static final Map<String, Evaluation> EVALUATIONS =
            Map.of("absorbed", Evaluation.ABSORBED, "expanded", Evaluation.EXPANDED);

    @ParameterizedTest
    @CsvSource({
        // heads, hidden, q_lora_rank, c, nope, rope, v, biases
        "1, 64, 0, 48, 24, 16, 40, false",
        "5, 96, 40, 48, 24, 16, 40, true",
        "5, 64, 0, 40, 20, 6, 36, true",
        "16, 64, 0, 512, 128, 64, 128, false",
        "17, 64, 24, 144, 24, 16, 48, true",
        "40, 64, 48, 144, 64, 16, 40, false",
        "5, 64, 32, 512, 64, 64, 256, true",
        "17, 48, 0, 48, 128, 64, 48, false",
    })
    void shapes(int heads, int hidden, int qLora, int c, int nope, int rope, int v, boolean biases) {
        MlaConfig config = MlaFixture.config(heads, hidden, qLora, c, nope, rope, v);
        try (MlaFixture fixture = new MlaFixture(config, biases, heads)) {
            float[] h = fixture.input(71, 2);
            MlaSpecification specification = new MlaSpecification(fixture, h);
            EVALUATIONS.forEach((name, evaluation) -> {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.F32, 2, 65)) {
                    CachePool.Sequence sequence = engine.open();
                    for (int count : new int[] {65, 1, 2, 3}) {
                        int first = sequence.length();
                        float[] actual = engine.run(sequence, h, count);
                        assertEquals(count * hidden, actual.length);
                        specification.assertRows(actual, first, name);
                    }
                }
            });
        }
    }

    /** Around the borders of pages (64) and splits (512). */
    @Test
    void contexts() {
        try (MlaFixture fixture = MlaFixture.small()) {
            int[] cached = {1100, 513, 512, 511, 65, 64, 63, 1, 0};
            float[] h = fixture.input(1100 + 65, 3);
            MlaSpecification specification = new MlaSpecification(fixture, h);
            EVALUATIONS.forEach((name, evaluation) -> {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.F32, 2, 128)) {
                    CachePool.Sequence sequence = engine.open();
                    engine.fill(sequence, h, 1100);
                    for (int context : cached) {
                        for (int count : new int[] {1, 2, 3, 7, 65}) {
                            sequence.resize(context);
                            float[] actual = engine.run(sequence, h, count);
                            specification.assertRows(actual, context, name + ", " + count + " rows");
                        }
                    }
                }
            });
        }
    }

    /** Thousands of positions: the rows of both evaluations after a long past, one of them filled by the other. */
    @Test
    void longContext() {
        MlaConfig config = MlaFixture.config(2, 16, 0, 16, 8, 8, 8);
        int deep = 5000;
        try (MlaFixture fixture = new MlaFixture(config, false, 9);
                MlaFixture.Engine engine = fixture.engine(Evaluation.CHEAPEST, CacheFormat.F32, 2, 512)) {
            float[] h = fixture.input(deep + 40, 10);
            MlaSpecification specification = new MlaSpecification(fixture, h);
            CachePool.Sequence sequence = engine.open();
            engine.fill(sequence, h, deep - 200);
            specification.assertRows(engine.run(sequence, h, 200), deep - 200, "200 rows");
            for (Evaluation evaluation : EVALUATIONS.values()) {
                try (MlaFixture.Engine other = fixture.engine(evaluation, CacheFormat.F32, 2, 512)) {
                    CachePool.Sequence copy = other.open();
                    other.fill(copy, h, deep);
                    for (int count : new int[] {1, 2, 37}) {
                        specification.assertRows(other.run(copy, h, count), deep, count + " rows");
                        copy.resize(deep);
                    }
                }
            }
        }
    }

    /** Each is within the tolerance of the equations, so between them lies at most twice as much. */
    @Test
    void evaluationsAgreeWhereTheyCostTheSame() {
        MlaConfig config = MlaFixture.config(5, 32, 0, 64, 24, 16, 40);
        int rows = (int) Math.ceil(config.breakEvenRows());
        assertEquals(64, rows);
        int cached = 600;
        try (MlaFixture fixture = new MlaFixture(config, false, 5);
                MlaFixture.Engine absorbed = fixture.engine(Evaluation.ABSORBED, CacheFormat.F32, 2, 200);
                MlaFixture.Engine expanded = fixture.engine(Evaluation.EXPANDED, CacheFormat.F32, 2, 200)) {
            float[] h = fixture.input(cached + rows, 6);
            CachePool.Sequence one = absorbed.open();
            CachePool.Sequence other = expanded.open();
            absorbed.fill(one, h, cached);
            expanded.fill(other, h, cached);
            float[] expected = absorbed.run(one, h, rows);
            float[] actual = expanded.run(other, h, rows);
            MlaSpecification specification = new MlaSpecification(fixture, h);
            for (int row = 0; row < rows; row++) {
                double largest = Arrays.stream(specification.outputs[cached + row])
                        .map(Math::abs)
                        .max()
                        .orElseThrow();
                for (int i = row * 32; i < (row + 1) * 32; i++) {
                    assertEquals(expected[i], actual[i], 2 * specification.tolerance() * largest);
                }
            }
        }
    }

    /** Scores of ten thousands: where one position wins by far, the output is its value; nowhere is it NaN. */
    @Test
    void extremeScores() {
        MlaConfig config = new MlaConfig(32, 5, 0, 48, 24, 16, 40, 1e4f);
        try (MlaFixture fixture = new MlaFixture(config, false, 7)) {
            float[] h = fixture.input(600, 8);
            MlaSpecification specification = new MlaSpecification(fixture, h);
            EVALUATIONS.forEach((name, evaluation) -> {
                try (MlaFixture.Engine engine = fixture.engine(evaluation, CacheFormat.F32, 2, 600)) {
                    float[] actual = engine.run(engine.open(), h, 600);
                    int compared = 0;
                    for (int row = 0; row < 600; row++) {
                        float[] output = Arrays.copyOfRange(actual, row * 32, (row + 1) * 32);
                        for (float value : output) {
                            assertTrue(Float.isFinite(value), name + ": row " + row);
                        }
                        if (specification.smallestGap[row] > 30) {
                            specification.assertRows(output, row, name);
                            compared++;
                        }
                    }
                    assertTrue(compared > 100, compared + " rows");
                }
            });
        }
    }
}
