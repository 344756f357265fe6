package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.Decisions.Row;
import dev.remora.moe.policy.Capacity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The limit of the rows of a prompt that one expert takes. */
@Tag("widths")
class CapacityTest {
    @ParameterizedTest
    @ValueSource(doubles = {0.01, 0.5, 1, 1.25, 2})
    void theLimitIsNeverExceededAndNoRowIsLost(double factor) {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                int[] prompts = {70, 2, 33};
                float[] logits = skewed(decisions, 105);
                List<Row> found = decisions.decide("capacity:" + factor, logits, Batches.of(prompts));
                assertEquals(105, found.size());
                int from = 0;
                for (int rows : prompts) {
                    int[] load = new int[decisions.config.nRoutedExperts()];
                    for (Row row : found.subList(from, from + rows)) {
                        assertTrue(row.experts().size() <= decisions.config.numExpertsPerTok());
                        assertEquals(row.experts().size(), new HashSet<>(row.experts()).size());
                        row.experts().forEach(expert -> load[expert]++);
                    }
                    int most = Arrays.stream(load).max().orElseThrow();
                    assertTrue(most <= limit(decisions.config, factor, rows), most + " rows of " + rows);
                    from += rows;
                }
            }
        }
    }

    @Test
    void overflowGoesToTheNextWithRoomEarlierRowsWin() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                int rows = 60;
                float[] logits = skewed(decisions, rows);
                List<Row> found = decisions.decide("capacity:1", logits, Batches.of(rows));
                int k = decisions.config.numExpertsPerTok();
                int limit = limit(decisions.config, 1, rows);
                int[] load = new int[decisions.config.nRoutedExperts()];
                List<String> events = new ArrayList<>();
                int dropped = 0;
                for (int row = 0; row < rows; row++) {
                    PolicySpecification specification = SelectionTest.specification(decisions, logits, row);
                    List<Integer> ranking = specification.ranking();
                    List<Integer> shortlist = ranking.subList(0, Math.min(2 * k, ranking.size()));
                    List<Integer> chosen = new ArrayList<>();
                    for (int rank = 0; rank < shortlist.size(); rank++) {
                        int expert = shortlist.get(rank);
                        if (chosen.size() < k && load[expert] < limit) {
                            chosen.add(expert);
                            load[expert]++;
                        } else if (chosen.size() < k && rank < k) {
                            events.add("5: row " + row + " finds " + expert + " full");
                        }
                    }
                    dropped += k - chosen.size();
                    assertEquals(specification.row(chosen, 1), found.get(row), "row " + row);
                }
                assertEquals(events, decisions.events);
                assertTrue(events.size() > 20, "the case is worth the test: " + events.size());
                assertTrue(dropped > 0, "some rows find no room at all");
            }
        }
    }

    @Test
    void otherSequencesChangeNothing() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                int n = decisions.config.nRoutedExperts();
                float[] logits = skewed(decisions, 60);
                List<Row> together = decisions.decide("capacity:0.8", logits, Batches.of(1, 20, 30, 1, 8));
                List<Row> alone =
                        decisions.decide("capacity:0.8", Arrays.copyOfRange(logits, n, 21 * n), Batches.of(20));
                assertEquals(alone, together.subList(1, 21));
                assertNotEquals(
                        decisions.decide("exact", Arrays.copyOfRange(logits, n, 21 * n), Batches.of(20)), alone);
                // Decoded tokens are exact.
                List<Row> exact = decisions.decide("exact", logits, Batches.of(1, 20, 30, 1, 8));
                assertEquals(exact.get(0), together.get(0));
                assertEquals(exact.get(51), together.get(51));
            }
        }
    }

    @Test
    void aLongerShortlistIsThatOfAvailability() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = skewed(decisions, 60);
            List<Row> usual = decisions.decide("capacity:1", logits, Batches.of(60));
            List<Row> longer = decisions.decide("capacity:1+available:m=64", logits, Batches.of(60));
            assertTrue(usual.stream().mapToInt(r -> r.experts().size()).sum() < 6 * 60);
            assertEquals(
                    6 * 60, longer.stream().mapToInt(r -> r.experts().size()).sum(), "room for all");
        }
    }

    @ParameterizedTest
    @CsvSource({
        // factor, rows; of 6 among 64 experts
        "1, 64, 6",
        "1, 65, 7",
        "1.25, 512, 60",
        "0.001, 512, 1",
        "1e9, 512, 512",
    })
    void theLimitIsRoundedUp(double factor, int rows, int expected) {
        try (Decisions decisions = Decisions.softmax64()) {
            CapacityLimit limit = new CapacityLimit(decisions.config, new Capacity(factor));
            assertEquals(expected, limit.limit(rows));
        }
    }

    private static int limit(MoeConfig config, double factor, int rows) {
        return (int) Math.max(1, Math.ceil(factor * rows * config.numExpertsPerTok() / config.nRoutedExperts()));
    }

    /** Logits of rows that agree with each other about the best experts, as the tokens of a text do. */
    private static float[] skewed(Decisions decisions, int rows) {
        int n = decisions.config.nRoutedExperts();
        float[] common = decisions.logits(1, 100);
        float[] logits = decisions.logits(rows, 101);
        for (int i = 0; i < logits.length; i++) {
            logits[i] = 0.4f * logits[i] + 2 * common[i % n];
        }
        return logits;
    }
}
