package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.Geometry;
import dev.remora.bench.support.Matrices;
import dev.remora.bench.support.Steps;
import dev.remora.bench.support.TeamBenchmark;
import dev.remora.core.Batch;
import dev.remora.core.Rows;
import dev.remora.core.StoredMatrix;
import dev.remora.core.SwiGlu;
import dev.remora.moe.ExpertStore;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.Router;
import dev.remora.moe.Routing;
import dev.remora.moe.TopkMethod;
import dev.remora.moe.policy.RouterPolicy;
import java.lang.foreign.Arena;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/**
 * The router with each policy, against the exact one: 1 and 16 rows are tokens that are being decoded, 512 a prompt. Half of
 * the experts are in memory. Counted as {@link RouterBenchmark} counts: policies read and multiply nothing.
 */
public class PolicyBenchmark extends TeamBenchmark {
    private static final int PROMPT = 512;
    private static final long LOAD_NANOS = 4_000_000;

    /** 64 experts, softmax; 256, sigmoid with bias within 4 of 8 groups. */
    @Param({Geometry.V2_LITE, Geometry.V3})
    public String model;

    @Param({"exact", "topk", "mass", "capacity", "noise", "available", "fallback"})
    public String policy;

    @Param({"1", "16", "512"})
    public int rows;

    private final ExpertStore store = new HalfResident();
    private MoeConfig config;
    private RoutingSpecification specification;
    private Router[] copies;
    private MoeWorkspace workspace;
    private Batch batch;
    private Rows h;
    private Cost cost;

    private static RouterPolicy policy(String name) {
        return RouterPolicy.parse(
                switch (name) {
                    case "exact" -> "exact";
                    case "topk" -> "topk:4";
                    case "mass" -> "mass:0.8,kmin=2";
                    case "capacity" -> "capacity:1.25";
                    case "noise" -> "noise:0.1,seed=7";
                    case "available" -> "available:m=12,lambda=0.5,keep=2,loss=0.1";
                    case "fallback" -> "fallback:deadline=0ms,order=next/shared";
                    default ->
                        throw new IllegalArgumentException("policy: expected exact, topk, mass, capacity, noise,"
                                + " available or fallback, found " + name);
                });
    }

    @Override
    protected void build(Arena memory) {
        config = Geometry.experts(model, tiny());
        StoredMatrix gate = Matrices.random("F32", config.nRoutedExperts(), config.hiddenSize(), 1, memory);
        float[] bias =
                config.topkMethod() == TopkMethod.NOAUX_TC ? Matrices.floats(config.nRoutedExperts(), 2) : new float[0];
        for (int i = 0; i < bias.length; i++) {
            bias[i] *= 0.1f;
        }
        specification = new RoutingSpecification(config, gate, bias);
        workspace = new MoeWorkspace(config, rows, team(rows));
        workspace.policy(policy(policy));
        copies = new Router[copies(gate.packedBytes())];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = new Router("gate", config, gate.pack(memory), bias, workspace);
        }
        batch = rows == PROMPT ? Steps.prompt(rows) : Steps.decoding(rows);
        h = Matrices.rows(rows, config.hiddenSize(), 3);
        cost = cost(gate.packedBytes(), 2.0 * gate.rows() * gate.cols() * rows);
    }

    @Override
    protected Cost invoke() {
        copies[next(copies.length)].route(h, batch, 0, store);
        return cost;
    }

    /** For each row the weight of each expert, 0 for those that it does not meet. */
    @Override
    protected float[] result() {
        Routing routing = workspace.routing();
        float[] result = new float[rows * config.nRoutedExperts()];
        for (int row = 0; row < rows; row++) {
            for (int rank = 0; rank < routing.count(row); rank++) {
                result[row * config.nRoutedExperts() + routing.expert(row, rank)] = routing.weight(row, rank);
            }
        }
        return result;
    }

    @Override
    protected void verify(float[] found) {
        double elsewhere = 0.5 * 1e6 / (1e6 + LOAD_NANOS);
        List<List<Integer>> decisions = new PolicySpecification(
                        specification, workspace.policy(), HalfResident::inMemory, elsewhere)
                .decide(h, rows, rows != PROMPT);
        double tolerance = RoutingSpecification.tolerance(Check.rounding(config.hiddenSize()), config.hiddenSize());
        for (int row = 0; row < rows; row++) {
            double[] scores = specification.scores(h, row);
            double mass = specification.mass(scores);
            double[] expected = new double[config.nRoutedExperts()];
            decisions.get(row).forEach(e -> expected[e] = specification.weight(scores[e], mass));
            for (int expert = 0; expert < expected.length; expert++) {
                float actual = found[row * expected.length + expert];
                Check.close("weight", row, expert, actual, expected[expert], tolerance * expected[expert]);
            }
        }
    }

    /** Even experts are in memory, the others never arrive in time. */
    private static final class HalfResident implements ExpertStore {
        static boolean inMemory(int expert) {
            return expert % 2 == 0;
        }

        @Override
        public int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into) {
            throw new UnsupportedOperationException("only the router runs");
        }

        @Override
        public void release(int layer, int[] ids, int from, int to) {}

        @Override
        public boolean resident(int layer, int expert) {
            return inMemory(expert);
        }

        @Override
        public long loadNanos(int layer) {
            return LOAD_NANOS;
        }
    }
}
