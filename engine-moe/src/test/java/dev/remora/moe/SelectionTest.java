package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Batch;
import dev.remora.core.ThreadTeam;
import dev.remora.moe.Decisions.Row;
import dev.remora.moe.policy.RouterPolicy;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How many experts a decoded token keeps, and noise on which. */
@Tag("widths")
class SelectionTest {
    private static final int ROWS = 24;

    /** One-row sequences. */
    private static Batch decoding(int rows) {
        int[] ones = new int[rows];
        Arrays.fill(ones, 1);
        return Batches.of(ones);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mass:1",
                "noise:0,seed=3",
                "capacity:1000",
                "available:m=20,lambda=0",
                "fallback",
                "noise:0+available:m=20,lambda=0+fallback+capacity:1000+mass:1,kmin=1",
            })
    void policiesWithNothingToDoLeaveEveryBit(String policy) {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 1);
                // Two prompts and decoded tokens between them.
                Batch batch = Batches.of(1, 9, 1, 1, 11, 1);
                List<Row> exact = decisions.decide("exact", logits, batch);
                List<Row> found = decisions.decide(policy, logits, batch);
                assertEquals(exact, found);
                assertEquals(List.of(), decisions.events);
            }
        }
    }

    @Test
    void fixedKKeepsTheBestAndTheirWeights() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                for (int k = 1; k <= decisions.config.numExpertsPerTok(); k++) {
                    float[] logits = decisions.logits(ROWS, k);
                    List<Row> found = decisions.decide("topk:" + k, logits, decoding(ROWS));
                    for (int row = 0; row < ROWS; row++) {
                        assertEquals(specification(decisions, logits, row).fixed(k), found.get(row), k + ", " + row);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0.5, 1, 0, false",
        "0.5, 1, 0, true",
        "0.8, 2, 5, false",
        "0.8, 2, 5, true",
        "0.01, 3, 4, false",
        "1, 1, 4, true",
        "0.7, 1, 1, false"
    })
    void adaptiveKKeepsAShareOfTheMass(double mass, int kMin, int kMax, boolean renormalize) {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 5);
                String policy =
                        "mass:" + mass + ",kmin=" + kMin + ",kmax=" + kMax + (renormalize ? ",renormalize" : "");
                List<Row> found = decisions.decide(policy, logits, decoding(ROWS));
                int most = kMax == 0 ? decisions.config.numExpertsPerTok() : kMax;
                for (int row = 0; row < ROWS; row++) {
                    Row expected = specification(decisions, logits, row).adaptive(mass, kMin, most, renormalize);
                    assertEquals(expected.experts(), found.get(row).experts(), policy + ", row " + row);
                    for (int rank = 0; rank < expected.weights().size(); rank++) {
                        // The sum of what is kept is added in another order.
                        float weight = expected.weights().get(rank);
                        assertEquals(weight, found.get(row).weights().get(rank), renormalize ? Math.ulp(weight) : 0);
                    }
                }
            }
        }
    }

    @Test
    void renormalisedWeightsAddUpToWhatTheExactOnesDo() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 6);
                List<Row> exact = decisions.decide("exact", logits, decoding(ROWS));
                List<Row> found = decisions.decide("mass:0.6,renormalize", logits, decoding(ROWS));
                for (int row = 0; row < ROWS; row++) {
                    double expected = sum(exact.get(row));
                    assertEquals(expected, sum(found.get(row)), 1e-6 * expected);
                    assertTrue(found.get(row).experts().size()
                            < exact.get(row).experts().size());
                }
            }
        }
    }

    @Test
    void noiseChangesTheChoiceAndNeverAWeight() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 7);
                List<Row> exact = decisions.decide("exact", logits, decoding(ROWS));
                List<Row> found = decisions.decide("noise:0.3,seed=1", logits, decoding(ROWS));
                assertNotEquals(exact, found);
                for (int row = 0; row < ROWS; row++) {
                    PolicySpecification specification = specification(decisions, logits, row);
                    assertEquals(specification.row(found.get(row).experts(), 1), found.get(row));
                    assertTrue(
                            specification.ranking().containsAll(found.get(row).experts()), "within the groups");
                }
            }
        }
    }

    @Test
    void noiseIsAFunctionOfSeedAndPosition() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(1, 8);
            float[] same = new float[ROWS * logits.length];
            for (int row = 0; row < ROWS; row++) {
                System.arraycopy(logits, 0, same, row * logits.length, logits.length);
            }
            List<Row> atOnePosition = decisions.decide("noise:0.5,seed=1", same, decoding(ROWS));
            assertEquals(Collections.nCopies(ROWS, atOnePosition.get(0)), atOnePosition);
            long different = LongStream.range(0, 20)
                    .mapToObj(seed -> decisions.decide("noise:0.5,seed=" + seed, logits, decoding(1)))
                    .distinct()
                    .count();
            assertTrue(different > 1, different + " choices by 20 seeds");
            long places = IntStream.range(0, 20)
                    .mapToObj(position -> decisions.decide("noise:0.5,seed=1", logits, Batches.decodingAt(position)))
                    .distinct()
                    .count();
            assertTrue(places > 1, places + " choices at 20 positions");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"topk:3", "mass:0.7", "noise:0.4,seed=9", "noise:0.4,seed=9+mass:0.5,renormalize"})
    void neighboursAndThreadsChangeNothing(String policy) {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                float[] logits = decisions.logits(ROWS, 9);
                int n = decisions.config.nRoutedExperts();
                Batch batch = Batches.of(1, 1, 9, 1, 11, 1);
                ExpertStore store = new ResidentExperts(decisions.config, List.of());
                List<Row> together = decisions.decide(policy, logits, batch, store, 1);
                assertEquals(together, decisions.decide(policy, logits, batch, store, 4), "threads");
                List<Row> exact = decisions.decide("exact", logits, batch);
                for (int row = 0; row < ROWS; row++) {
                    boolean prompt = (row >= 2 && row < 11) || (row >= 12 && row < 23);
                    float[] alone = Arrays.copyOfRange(logits, row * n, (row + 1) * n);
                    Row expected = prompt
                            ? exact.get(row)
                            : decisions.decide(policy, alone, decoding(1)).get(0);
                    assertEquals(expected, together.get(row), "row " + row);
                }
            }
        }
    }

    @Test
    void aPolicyMustFitTheModel() {
        try (Decisions decisions = Decisions.softmax64();
                ThreadTeam team = new ThreadTeam(1, 1)) {
            MoeWorkspace workspace = new MoeWorkspace(decisions.config, 1, team);
            for (String policy :
                    List.of("topk:7", "mass:0.5,kmin=7", "mass:0.5,kmin=1,kmax=7", "available:m=6", "available:m=65")) {
                IllegalArgumentException e = assertThrows(
                        IllegalArgumentException.class, () -> workspace.policy(RouterPolicy.parse(policy)));
                assertTrue(e.getMessage().startsWith("policy: "), e.getMessage());
                assertTrue(e.getMessage().contains("num_experts_per_tok = 6"), e.getMessage());
                assertEquals(RouterPolicy.EXACT, workspace.policy());
            }
            RouterPolicy largest = RouterPolicy.parse("topk:6+available:m=64");
            workspace.policy(largest);
            assertEquals(largest, workspace.policy());
        }
    }

    @Test
    void theBatchMustHaveTheRows() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(2, 1);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> decisions.decide("topk:2", logits, decoding(1)));
            assertEquals("a batch of 1 rows for 2 of h", e.getMessage());
        }
    }

    static PolicySpecification specification(Decisions decisions, float[] logits, int row) {
        int n = decisions.config.nRoutedExperts();
        return new PolicySpecification(
                decisions.config, Arrays.copyOfRange(logits, row * n, (row + 1) * n), decisions.bias);
    }

    private static double sum(Row row) {
        return row.weights().stream().mapToDouble(w -> w).sum();
    }
}
