package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Batch;
import dev.remora.core.DenseFeedForward;
import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.core.SwiGluGroups;
import dev.remora.core.ThreadTeam;
import dev.remora.moe.Decisions.Row;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a decoded token does without experts that are late. */
@Tag("widths")
class FallbackTest {
    @Test
    void theNextInMemoryTakesThePlaceOfALateOne() {
        for (Decisions decisions : Decisions.both()) {
            try (decisions) {
                int k = decisions.config.numExpertsPerTok();
                float[] logits = decisions.logits(1, 21);
                PolicySpecification specification = SelectionTest.specification(decisions, logits, 0);
                List<Integer> ranking = specification.ranking();
                // Ranks 0, 2 and k + 1 are elsewhere.
                SomeResident store = allBut(decisions, ranking.get(0), ranking.get(2), ranking.get(k + 1));
                List<Row> found = decisions.decide("fallback:deadline=0ms,order=next", logits, Batches.of(1), store, 1);
                List<Integer> expected = new ArrayList<>(ranking.subList(0, k));
                expected.removeAll(List.of(ranking.get(0), ranking.get(2)));
                expected.addAll(List.of(ranking.get(k), ranking.get(k + 2)));
                assertEquals(List.of(specification.row(expected, 1)), found);
                assertEquals(
                        List.of(
                                "5: row 0, " + ranking.get(0) + " late: NEXT",
                                "5: row 0, " + ranking.get(2) + " late: NEXT"),
                        decisions.events);
                assertEquals(
                        List.of(List.copyOf(new TreeSet<>(List.of(ranking.get(0), ranking.get(2))))), store.requests);
            }
        }
    }

    @Test
    void expertsThatComeInTimeAreUsed() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(1, 22);
            List<Integer> ranking =
                    SelectionTest.specification(decisions, logits, 0).ranking();
            SomeResident store = allBut(decisions, ranking.get(1), ranking.get(3));
            store.quick.add(ranking.get(1));
            store.quick.add(ranking.get(3));
            long before = System.nanoTime();
            List<Row> found = decisions.decide("fallback:deadline=7ms", logits, Batches.of(1), store, 1);
            assertTrue(store.waitedUntil - before >= 7_000_000, "the deadline lies ahead");
            assertEquals(decisions.decide("exact", logits, Batches.of(1)), found);
            assertEquals(List.of(), decisions.events);
            assertEquals(1, store.requests.size());
        }
    }

    @Test
    void withoutAPossibleStepTheExpertStays() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(3, 23);
            SomeResident nothing = new SomeResident(Set.of());
            for (String order : List.of("next", "fp8", "next/fp8")) {
                List<Row> found = decisions.decide(
                        "fallback:deadline=0ms,order=" + order, logits, Batches.of(1, 1, 1), nothing, 1);
                assertEquals(decisions.decide("exact", logits, Batches.of(1, 1, 1)), found);
            }
            List<Row> shared = decisions.decide(
                    "fallback:deadline=0ms,order=next/shared", logits, Batches.of(1, 1, 1), nothing, 1);
            shared.forEach(row -> assertEquals(List.of(), row.experts()));
            assertEquals(18, decisions.events.size());
        }
    }

    @Test
    void promptsWaitAndWhatTheyWaitForIsNotLate() {
        try (Decisions decisions = Decisions.softmax64()) {
            float[] logits = decisions.logits(9, 24);
            SomeResident nothing = new SomeResident(Set.of());
            List<Row> exact = decisions.decide("exact", logits, Batches.of(8, 1));
            List<Row> found =
                    decisions.decide("fallback:deadline=0ms,order=shared", logits, Batches.of(8, 1), nothing, 1);
            assertEquals(exact.subList(0, 8), found.subList(0, 8));
            Set<Integer> read = new TreeSet<>();
            exact.subList(0, 8).forEach(row -> read.addAll(row.experts()));
            List<Integer> kept =
                    exact.get(8).experts().stream().filter(read::contains).toList();
            assertEquals(kept, found.get(8).experts());
            assertEquals(6 - kept.size(), decisions.events.size());
            assertTrue(kept.size() > 0 && kept.size() < 6, "the case is worth the test: " + kept);
        }
    }

    @Test
    void aSubstituteRunsInPlaceOfAnExpertThatIsLate() {
        try (MoeFixture moe = new MoeFixture(MoeFixture.sigmoidConfig(), 7)) {
            MoeFixture other = new MoeFixture(MoeFixture.sigmoidConfig(), 8);
            try (other) {
                int rows = 5;
                float[] x = moe.input(rows, 9);
                Map<Integer, SwiGlu> substitutes = new HashMap<>();
                List<SwiGlu> mixed = new ArrayList<>();
                for (int expert = 0; expert < 8; expert++) {
                    boolean here = expert % 2 == 0;
                    mixed.add(here ? moe.experts.get(expert) : other.experts.get(expert));
                    if (!here) {
                        substitutes.put(expert, other.experts.get(expert));
                    }
                }
                SomeResident even = new SomeResident(Set.of(0, 2, 4, 6), moe.experts, substitutes);
                float[] found = run(moe, "fallback:deadline=0ms,order=fp8", x, rows, even);
                float[] expected = run(moe, "exact", x, rows, new SomeResident(Set.of(), mixed, Map.of()));
                assertArrayEquals(expected, found);
                assertTrue(even.acquired.stream().allMatch(expert -> expert % 2 == 0), "acquired " + even.acquired);
                assertFalse(even.acquired.isEmpty());
                // In the next step the experts are there, and the substitutes are not used again.
                float[] exact = run(moe, "exact", x, rows, new SomeResident(Set.of(), moe.experts, Map.of()));
                even.resident.addAll(Set.of(1, 3, 5, 7));
                assertArrayEquals(exact, run(moe, "fallback:deadline=0ms,order=fp8", x, rows, even));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRowWithoutExpertsHasTheSharedOnesOrNothing(boolean shared) {
        MoeConfig config = shared
                ? MoeFixture.sigmoidConfig()
                : new MoeConfig(160, 72, 8, 0, 3, 4, 2, ScoringFunc.SIGMOID, TopkMethod.NOAUX_TC, true, 2.5);
        try (MoeFixture moe = new MoeFixture(config, 7)) {
            float[] x = moe.input(4, 9);
            SomeResident nothing = new SomeResident(Set.of(), moe.experts, Map.of());
            float[] found = run(moe, "fallback:deadline=0ms,order=shared", x, 4, nothing);
            assertEquals(List.of(), nothing.acquired);
            if (shared) {
                assertArrayEquals(sharedAlone(moe, x, 4), found);
            } else {
                assertArrayEquals(new float[4 * 160], found);
            }
        }
    }

    /** The shared expert by itself. */
    private static float[] sharedAlone(MoeFixture moe, float[] x, int rows) {
        try (ThreadTeam team = new ThreadTeam(1, rows)) {
            Rows out = new Rows(rows, moe.config.hiddenSize());
            Rows activation = new Rows(rows, moe.config.sharedIntermediateSize());
            SwiGluGroups groups = new SwiGluGroups(team, 1);
            new DenseFeedForward(moe.shared.orElseThrow(), groups, activation)
                    .forward(moe.rows(x, rows), Batches.of(rows), out);
            return out.data();
        }
    }

    /** Rows of as many sequences. */
    private static float[] run(MoeFixture moe, String policy, float[] x, int rows, ExpertStore store) {
        try (ThreadTeam team = new ThreadTeam(2, rows)) {
            MoeWorkspace workspace = new MoeWorkspace(moe.config, rows, team);
            workspace.policy(RouterPolicy.parse(policy));
            Rows out = new Rows(rows, moe.config.hiddenSize());
            int[] ones = new int[rows];
            Arrays.fill(ones, 1);
            Batch batch = Batches.of(ones);
            moe.layer(workspace, store).forward(moe.rows(x, rows), batch, out);
            return out.data();
        }
    }

    private static SomeResident allBut(Decisions decisions, Integer... missing) {
        Set<Integer> resident = new TreeSet<>();
        for (int expert = 0; expert < decisions.config.nRoutedExperts(); expert++) {
            resident.add(expert);
        }
        resident.removeAll(List.of(missing));
        return new SomeResident(resident);
    }
}
