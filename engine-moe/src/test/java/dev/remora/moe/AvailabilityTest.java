package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.Decisions.Row;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A shortlist by skill, and the choice from it by what is at hand. */
@Tag("widths")
class AvailabilityTest {
    private static final int ROWS = 40;

    @ParameterizedTest
    @CsvSource({
        // m, lambda, keep, loss, load time in microseconds
        "12, 0.5, 2, 0.1, 4000",
        "12, 0.5, 2, 1, 4000",
        "16, 0.1, 0, 0.3, 4000",
        "12, 100, 0, 1, 10",
        "12, 100, 3, 0, 4000",
        "20, 0.3, 6, 1, 100000",
    })
    void exchangesAsTheSpecificationDoes(int m, double lambda, int keep, double loss, long micros) {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                SomeResident store = half(decisions);
                store.loadNanos = 1000 * micros;
                double elsewhere = 0.5 / (1 + Math.max(1, micros / 1e3));
                float[] logits = decisions.logits(ROWS, 11);
                int changed = 0;
                for (int row = 0; row < ROWS; row++) {
                    PolicySpecification specification = SelectionTest.specification(decisions, logits, row);
                    Row expected = specification.available(
                            m, lambda, keep, loss, e -> store.resident.contains(e) ? 0.5 : elsewhere);
                    Row found = alone(decisions, policy(m, lambda, keep, loss), logits, row, store);
                    assertEquals(expected, found, "row " + row);
                    changed += found.equals(alone(decisions, "exact", logits, row, store)) ? 0 : 1;
                }
                boolean allStay = keep >= decisions.config.numExpertsPerTok();
                // Where a bias takes part in the choice, a candidate may have more skill than one that was chosen.
                boolean noneIsBetter = loss == 0 && decisions.bias.length == 0;
                assertEquals(allStay || noneIsBetter, changed == 0, "rows that changed: " + changed);
            }
        }
    }

    @Test
    void whatIsGivenUpIsBoundedAndTheBestStay() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                SomeResident store = half(decisions);
                store.loadNanos = 50_000_000;
                float[] logits = decisions.logits(ROWS, 12);
                for (double bound : new double[] {0, 0.05, 0.2}) {
                    for (int row = 0; row < ROWS; row++) {
                        PolicySpecification specification = SelectionTest.specification(decisions, logits, row);
                        Row found = alone(decisions, policy(16, 10, 2, bound), logits, row, store);
                        double kept = found.experts().stream()
                                .mapToDouble(e -> specification.scores[e])
                                .sum();
                        assertTrue(1 - kept / specification.mass() <= bound + 1e-12);
                        assertTrue(found.experts()
                                .containsAll(specification.ranking().subList(0, 2)));
                        assertTrue(specification.ranking().subList(0, 16).containsAll(found.experts()));
                        assertEquals(
                                decisions.config.numExpertsPerTok(),
                                found.experts().size());
                    }
                }
            }
        }
    }

    @Test
    void whereEverythingIsAtHandATokenAloneIsExact() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 13);
                ExpertStore store = new ResidentExperts(decisions.config, List.of());
                for (int row = 0; row < ROWS; row++) {
                    assertEquals(
                            alone(decisions, "exact", logits, row, store),
                            alone(decisions, policy(16, 100, 0, 1), logits, row, store));
                }
            }
        }
    }

    @Test
    void tokensShareWhatOthersReadAnyway() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 14);
                int[] ones = new int[ROWS];
                Arrays.fill(ones, 1);
                List<Row> exact = decisions.decide("exact", logits, Batches.of(ones));
                List<Row> shared = decisions.decide(policy(16, 1, 2, 0.2), logits, Batches.of(ones));
                assertTrue(different(shared) < different(exact), different(shared) + " of " + different(exact));
                // In any order.
                int n = decisions.config.nRoutedExperts();
                float[] reversed = new float[logits.length];
                for (int row = 0; row < ROWS; row++) {
                    System.arraycopy(logits, row * n, reversed, (ROWS - 1 - row) * n, n);
                }
                List<Row> backwards = decisions.decide(policy(16, 1, 2, 0.2), reversed, Batches.of(ones));
                Collections.reverse(backwards);
                assertEquals(shared, backwards);
            }
        }
    }

    @Test
    void aPromptOfTheSameStepStaysExactAndIsShared() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(31, 15);
            // A prompt of 30 rows reads nearly everything.
            List<Row> exact = decisions.decide("exact", logits, Batches.of(30, 1));
            List<Row> found = decisions.decide(policy(64, 1, 0, 1), logits, Batches.of(30, 1));
            assertEquals(exact.subList(0, 30), found.subList(0, 30));
            Set<Integer> read = new TreeSet<>();
            exact.subList(0, 30).forEach(row -> read.addAll(row.experts()));
            assertTrue(read.size() < 64 && read.size() > 6);
            assertTrue(read.containsAll(found.get(30).experts()));
        }
    }

    @Test
    void fewerExpertsAreExchangedToo() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(ROWS, 16);
            SomeResident store = half(decisions);
            store.loadNanos = 50_000_000;
            boolean changed = false;
            for (int row = 0; row < ROWS; row++) {
                Row three = alone(decisions, "topk:3", logits, row, store);
                Row found = alone(decisions, "topk:3+" + policy(12, 1, 1, 1), logits, row, store);
                assertEquals(3, found.experts().size());
                assertTrue(found.experts()
                        .contains(SelectionTest.specification(decisions, logits, row)
                                .ranking()
                                .get(0)));
                changed |= !three.equals(found);
            }
            assertTrue(changed);
            assertNotEquals(Set.of(), store.resident);
        }
    }

    private static long different(List<Row> rows) {
        return rows.stream().flatMap(row -> row.experts().stream()).distinct().count();
    }

    private static String policy(int m, double lambda, int keep, double loss) {
        return "available:m=" + m + ",lambda=" + lambda + ",keep=" + keep + ",loss=" + loss;
    }

    private static SomeResident half(Decisions decisions) {
        Random random = new Random(17);
        Set<Integer> resident = new TreeSet<>();
        for (int expert = 0; expert < decisions.config.nRoutedExperts(); expert++) {
            if (random.nextBoolean()) {
                resident.add(expert);
            }
        }
        return new SomeResident(resident);
    }

    private static Row alone(Decisions decisions, String policy, float[] logits, int row, ExpertStore store) {
        int n = decisions.config.nRoutedExperts();
        float[] one = Arrays.copyOfRange(logits, row * n, (row + 1) * n);
        return decisions.decide(policy, one, Batches.of(1), store, 1).get(0);
    }
}
