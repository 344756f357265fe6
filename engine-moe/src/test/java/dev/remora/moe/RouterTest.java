package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.Rows;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("widths")
class RouterTest {
    private static final long SEED = 20241227;

    static Stream<MoeConfig> configs() {
        return Stream.of(
                // V2-Lite, V2, V3, Moonlight, Kimi-K2, GLM-4.7-Flash, Mistral4; then shapes that stress a rule
                softmax(64, 6, 1, 1, TopkMethod.GREEDY, false, 1),
                softmax(160, 6, 8, 3, TopkMethod.GROUP_LIMITED_GREEDY, false, 16),
                sigmoid(256, 8, 8, 4, true, 2.5),
                sigmoid(64, 6, 1, 1, true, 2.446),
                sigmoid(384, 8, 1, 1, true, 2.827),
                sigmoid(64, 4, 1, 1, true, 1.8),
                softmax(128, 4, 1, 1, TopkMethod.NOAUX_TC, true, 1),
                softmax(12, 4, 1, 1, TopkMethod.GREEDY, true, 3),
                softmax(8, 3, 8, 5, TopkMethod.GROUP_LIMITED_GREEDY, true, 16),
                softmax(8, 8, 4, 4, TopkMethod.GROUP_LIMITED_GREEDY, false, 2),
                sigmoid(8, 3, 4, 2, false, 2.5),
                sigmoid(8, 4, 4, 2, true, 2.5),
                sigmoid(6, 2, 6, 6, true, 1),
                sigmoid(1, 1, 1, 1, true, 2.5));
    }

    @ParameterizedTest
    @MethodSource("configs")
    void agreesWithTheSpecification(MoeConfig config) {
        Random random = new Random(SEED);
        for (float biasScale : new float[] {0, 0.1f, 10}) {
            float[] bias = config.topkMethod() == TopkMethod.NOAUX_TC && biasScale > 0
                    ? MoeFixture.values(random, config.nRoutedExperts(), biasScale)
                    : new float[0];
            check(config, MoeFixture.values(random, 40 * config.nRoutedExperts(), 2), bias);
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void agreesWithTheSpecificationOnTies(MoeConfig config) {
        Random random = new Random(SEED);
        float[] logits = new float[40 * config.nRoutedExperts()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = random.nextInt(3) - 1;
        }
        check(config, logits, new float[0]);
    }

    @ParameterizedTest
    @MethodSource("configs")
    void saturatedScoresAreTies(MoeConfig config) {
        Random random = new Random(SEED);
        check(config, MoeFixture.values(random, 40 * config.nRoutedExperts(), 1000), new float[0]);
    }

    @ParameterizedTest
    @MethodSource("configs")
    void allNegativeBiasesNeverLetMaskedExpertsIn(MoeConfig config) {
        if (config.topkMethod() != TopkMethod.NOAUX_TC) {
            assertThrows(CheckpointException.class, () -> check(config, new float[0], new float[] {-5}));
            return;
        }
        Random random = new Random(SEED);
        float[] bias = new float[config.nRoutedExperts()];
        for (int i = 0; i < bias.length; i++) {
            // A mask of 0 would beat every one of these.
            bias[i] = -5 - random.nextFloat() * 20;
        }
        check(config, MoeFixture.values(random, 40 * config.nRoutedExperts(), 2), bias);
    }

    @Test
    void weightsComeFromUnbiasedScoresAndAreNormalisedThenScaled() {
        MoeConfig config = sigmoid(4, 2, 1, 1, true, 2.5);
        float[] bias = {0, 100, 0, 50};
        Routing routing = route(config, new float[] {3, 0, 2, 1}, bias);
        double s1 = 0.5;
        float s3 = (float) (1 / (1 + Math.exp(-1)));
        assertEquals(List.of(1, 3), experts(routing, 0));
        assertEquals((float) (s1 / (s1 + s3) * 2.5), routing.weight(0, 0));
        assertEquals((float) (s3 / (s1 + s3) * 2.5), routing.weight(0, 1));
    }

    @Test
    void softmaxRoutersScaleOnlyWhatTheyDoNotNormalise() {
        float[] logits = {0, 0, 0, 0};
        Routing scaled = route(softmax(4, 2, 1, 1, TopkMethod.GREEDY, false, 16), logits, new float[0]);
        assertEquals(4f, scaled.weight(0, 0));
        Routing normalised = route(softmax(4, 2, 1, 1, TopkMethod.GREEDY, true, 16), logits, new float[0]);
        assertEquals(0.5f, normalised.weight(0, 0));
    }

    @Test
    void groupsAreRankedByTheirTwoBestBiasedScores() {
        // Group 0 has the best single expert, group 1 the best pair.
        MoeConfig pairs = sigmoid(4, 2, 2, 1, true, 1);
        float[] logits = {4, -4, 1, 1};
        assertEquals(List.of(2, 3), experts(route(pairs, logits, new float[0]), 0));
        MoeConfig best = softmax(4, 2, 2, 1, TopkMethod.GROUP_LIMITED_GREEDY, false, 1);
        assertEquals(List.of(0, 1), experts(route(best, logits, new float[0]), 0));
        // The bias takes part in the ranking.
        assertEquals(List.of(0, 1), experts(route(pairs, logits, new float[] {0, 1, 0, 0}), 0));
    }

    @Test
    void lowestIndexWinsATie() {
        Routing routing = route(sigmoid(6, 3, 3, 2, true, 1), new float[6], new float[0]);
        assertEquals(List.of(0, 1, 2), experts(routing, 0));
    }

    @Test
    void aLogitThatIsNoNumberIsAnErrorThatNamesTheGate() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            // Through the identity, an infinity becomes NaN in every other logit.
            float[] logits = {0, 1, 2, 3, bad, 1, 2, 3};
            RemoraException e = assertThrows(
                    RemoraException.class, () -> route(sigmoid(4, 2, 1, 1, true, 1), logits, new float[0]));
            assertTrue(e.getMessage().contains("model.layers.1.mlp.gate"), e.getMessage());
            assertTrue(e.getMessage().contains("found " + bad + " for expert 0 in row 1"), e.getMessage());
        }
    }

    @Test
    void biasesAreChecked() {
        MoeConfig config = sigmoid(4, 2, 1, 1, true, 1);
        assertThrows(CheckpointException.class, () -> route(config, new float[4], new float[3]));
        assertThrows(CheckpointException.class, () -> route(config, new float[4], new float[] {0, 0, Float.NaN, 0}));
        assertThrows(CheckpointException.class, () -> route(config, new float[4], new float[] {0, 0, 0, -3e38f}));
    }

    @Test
    void theGatesShapeIsChecked() {
        MoeConfig other = sigmoid(5, 2, 1, 1, true, 1);
        try (Arena arena = Arena.ofConfined();
                ThreadTeam team = new ThreadTeam(1, 1)) {
            MoeWorkspace workspace = new MoeWorkspace(other, 1, team);
            Weight gate = identity(4, arena);
            CheckpointException e = assertThrows(
                    CheckpointException.class, () -> new Router("gate", other, gate, new float[0], workspace));
            assertTrue(e.getMessage().contains("(n_routed_experts, hidden_size)"), e.getMessage());
        }
    }

    private static void check(MoeConfig config, float[] logits, float[] bias) {
        Routing routing = route(config, logits, bias);
        int n = config.nRoutedExperts();
        assertEquals(logits.length / n, routing.rows());
        for (int row = 0; row < routing.rows(); row++) {
            RouterSpecification.Choice expected =
                    RouterSpecification.route(config, Arrays.copyOfRange(logits, row * n, row * n + n), bias);
            assertEquals(expected.experts(), experts(routing, row), "row " + row);
            for (int rank = 0; rank < routing.count(row); rank++) {
                assertEquals(expected.weights().get(rank).floatValue(), routing.weight(row, rank), "row " + row);
            }
        }
    }

    private static List<Integer> experts(Routing routing, int row) {
        List<Integer> experts = new ArrayList<>();
        for (int rank = 0; rank < routing.count(row); rank++) {
            experts.add(routing.expert(row, rank));
        }
        return experts;
    }

    /** Routes logits as they are: the gate is the identity. */
    private static Routing route(MoeConfig config, float[] logits, float[] bias) {
        int n = config.nRoutedExperts();
        int rows = logits.length / n;
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(2, rows)) {
            MoeWorkspace workspace = new MoeWorkspace(config, rows, team);
            Router router = new Router("model.layers.1.mlp.gate", config, identity(n, arena), bias, workspace);
            Rows h = new Rows(rows, n);
            h.resize(rows);
            System.arraycopy(logits, 0, h.data(), 0, logits.length);
            router.route(h, MoeFixture.prompt(rows), 1, new ResidentExperts(config, List.of()));
            return workspace.routing();
        }
    }

    private static Weight identity(int n, Arena arena) {
        MemorySegment data = arena.allocate(4L * n * n);
        for (int i = 0; i < n; i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * n + i, 1f);
        }
        return new DenseMatrix("gate", DenseFormat.F32, data, n, n).pack(arena);
    }

    private static MoeConfig softmax(
            int experts, int perTok, int nGroup, int topkGroup, TopkMethod method, boolean norm, double scale) {
        return new MoeConfig(
                experts, 8, experts, 0, perTok, nGroup, topkGroup, ScoringFunc.SOFTMAX, method, norm, scale);
    }

    private static MoeConfig sigmoid(int experts, int perTok, int nGroup, int topkGroup, boolean norm, double scale) {
        return new MoeConfig(
                experts,
                8,
                experts,
                0,
                perTok,
                nGroup,
                topkGroup,
                ScoringFunc.SIGMOID,
                TopkMethod.NOAUX_TC,
                norm,
                scale);
    }
}
