package dev.remora.moe;

import dev.remora.core.Batch;
import dev.remora.core.Rows;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What a router decides for given logits, under a policy: the gate is the identity. */
final class Decisions implements AutoCloseable {
    static final int LAYER = 5;

    /** One row: its experts in ascending order, and their weights. */
    record Row(List<Integer> experts, List<Float> weights) {}

    final MoeConfig config;
    final float[] bias;
    final List<String> events = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    private final Weight identity;

    Decisions(MoeConfig config, float[] bias) {
        this.config = config;
        this.bias = bias;
        int n = config.nRoutedExperts();
        MemorySegment data = arena.allocate(4L * n * n);
        for (int i = 0; i < n; i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * n + i, 1f);
        }
        identity = new DenseMatrix("gate", DenseFormat.F32, data, n, n).pack(arena);
    }

    /** V2-Lite's router. */
    static Decisions softmax64() {
        return new Decisions(
                new MoeConfig(64, 8, 64, 0, 6, 1, 1, ScoringFunc.SOFTMAX, TopkMethod.GREEDY, false, 1), new float[0]);
    }

    /** V3's router. */
    static Decisions sigmoid256() {
        MoeConfig config = new MoeConfig(256, 8, 256, 1, 8, 8, 4, ScoringFunc.SIGMOID, TopkMethod.NOAUX_TC, true, 2.5);
        return new Decisions(config, MoeFixture.values(new Random(3), 256, 0.1f));
    }

    static List<Decisions> both() {
        return List.of(softmax64(), sigmoid256());
    }

    float[] logits(int rows, long seed) {
        return MoeFixture.values(new Random(seed), rows * config.nRoutedExperts(), 1);
    }

    /** What is decided where all experts are in memory. */
    List<Row> decide(String policy, float[] logits, Batch batch) {
        return decide(policy, logits, batch, new ResidentExperts(config, List.of()), 2);
    }

    List<Row> decide(String policy, float[] logits, Batch batch, ExpertStore store, int threads) {
        int n = config.nRoutedExperts();
        int rows = logits.length / n;
        try (ThreadTeam team = new ThreadTeam(threads, rows)) {
            MoeWorkspace workspace = new MoeWorkspace(config, rows, team);
            workspace.policy(RouterPolicy.parse(policy));
            events.clear();
            workspace.observe(new Recorder());
            Rows h = new Rows(rows, n);
            h.resize(rows);
            System.arraycopy(logits, 0, h.data(), 0, logits.length);
            new Router("gate", config, identity, bias, workspace).route(h, batch, LAYER, store);
            return rows(workspace.routing());
        }
    }

    private static List<Row> rows(Routing routing) {
        List<Row> rows = new ArrayList<>();
        for (int row = 0; row < routing.rows(); row++) {
            Row decided = new Row(new ArrayList<>(), new ArrayList<>());
            for (int rank = 0; rank < routing.count(row); rank++) {
                decided.experts.add(routing.expert(row, rank));
                decided.weights.add(routing.weight(row, rank));
            }
            rows.add(decided);
        }
        return rows;
    }

    private final class Recorder implements RoutingObserver {
        @Override
        public void overflow(int layer, int expert, int row) {
            events.add(layer + ": row " + row + " finds " + expert + " full");
        }

        @Override
        public void fallback(int layer, int expert, Fallback.Step step, int row) {
            events.add(layer + ": row " + row + ", " + expert + " late: " + step);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
