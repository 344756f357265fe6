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
import dev.remora.moe.ExpertStore;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.ResidentExperts;
import dev.remora.moe.Router;
import dev.remora.moe.Routing;
import dev.remora.moe.TopkMethod;
import java.lang.foreign.Arena;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/** Scores of all experts and the choice of a few. Counted are the gate's bytes and its multiply-adds. */
public class RouterBenchmark extends TeamBenchmark {
    /** 64 experts, softmax; 160, softmax within 3 of 8 groups; 256, sigmoid with bias within 4 of 8 groups. */
    @Param({Geometry.V2_LITE, Geometry.V2, Geometry.V3})
    public String model;

    @Param({"1", "8", "512"})
    public int rows;

    private MoeConfig config;
    private StoredMatrix gate;
    private float[] bias;
    private Router[] copies;
    private MoeWorkspace workspace;
    private Rows h;
    private Batch batch;
    private ExpertStore store;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        config = Geometry.experts(model, tiny());
        gate = Matrices.random("F32", config.nRoutedExperts(), config.hiddenSize(), 1, memory);
        bias = config.topkMethod() == TopkMethod.NOAUX_TC ? Matrices.floats(config.nRoutedExperts(), 2) : new float[0];
        for (int i = 0; i < bias.length; i++) {
            bias[i] *= 0.1f;
        }
        workspace = new MoeWorkspace(config, rows, team(rows));
        copies = new Router[copies(gate.packedBytes())];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = new Router("gate", config, gate.pack(memory), bias, workspace);
        }
        store = new ResidentExperts(config, List.of());
        batch = Steps.prompt(rows);
        h = Matrices.rows(rows, config.hiddenSize(), 3);
        cost = cost(gate.packedBytes(), 2.0 * gate.rows() * gate.cols() * rows);
    }

    @Override
    protected Cost invoke() {
        copies[next(copies.length)].route(h, batch, 0, store);
        return cost;
    }

    /** For each row its experts, then their weights. */
    @Override
    protected float[] result() {
        Routing routing = workspace.routing();
        int chosen = config.numExpertsPerTok();
        float[] result = new float[2 * rows * chosen];
        for (int row = 0; row < rows; row++) {
            for (int rank = 0; rank < chosen; rank++) {
                result[2 * row * chosen + rank] = routing.expert(row, rank);
                result[(2 * row + 1) * chosen + rank] = routing.weight(row, rank);
            }
        }
        return result;
    }

    @Override
    protected void verify(float[] found) {
        int chosen = config.numExpertsPerTok();
        RoutingSpecification specification = new RoutingSpecification(config, gate, bias);
        double tolerance = RoutingSpecification.tolerance(Check.rounding(config.hiddenSize()), config.hiddenSize());
        for (int row = 0; row < rows; row++) {
            double[] scores = specification.scores(h, row);
            double mass = specification.mass(scores);
            List<Integer> experts = RoutingSpecification.ranking(specification.choice(scores)).stream()
                    .limit(chosen)
                    .sorted()
                    .toList();
            for (int rank = 0; rank < chosen; rank++) {
                int at = 2 * row * chosen + rank;
                double weight = specification.weight(scores[experts.get(rank)], mass);
                Check.close("expert", row, rank, found[at], experts.get(rank), 0);
                Check.close("weight", row, rank, found[at + chosen], weight, tolerance * weight);
            }
        }
    }
}
