package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.Geometry;
import dev.remora.bench.support.Matrices;
import dev.remora.bench.support.Network;
import dev.remora.bench.support.Plain;
import dev.remora.bench.support.Steps;
import dev.remora.bench.support.TeamBenchmark;
import dev.remora.core.Batch;
import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.moe.MixtureOfExperts;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.ResidentExperts;
import dev.remora.moe.Router;
import dev.remora.moe.Routing;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Param;

/**
 * A sparse layer: router, chosen experts, shared expert, their sum. Counted are the weights of the experts that were
 * chosen, each once, and two operations for each weight and row that meets it; nothing for the router and the sum.
 */
public class ExpertsBenchmark extends TeamBenchmark {
    private static final int LAYERS = 4;
    private static final int INPUTS = 16;
    private static final int CHECKED_ROWS = 3;

    /** Experts hold one of so many sets of numbers, whatever the memory that they lie in. */
    private static final int KINDS = 3;

    @Param({Geometry.V2_LITE, Geometry.V3})
    public String model;

    @Param({"FP8", "BF16"})
    public String format;

    @Param({"1", "8", "512"})
    public int rows;

    private final Network[] kinds = new Network[KINDS];
    private final MixtureOfExperts[] layers = new MixtureOfExperts[LAYERS];
    private final Rows[] inputs = new Rows[INPUTS];
    private final Cost[] costs = new Cost[INPUTS];
    private MoeConfig config;
    private Network shared;
    private MoeWorkspace workspace;
    private SwiGlu[] pool;
    private Batch batch;
    private Rows out;
    private int input;

    @Override
    protected void build(Arena memory) {
        config = Geometry.experts(model, tiny());
        int hidden = config.hiddenSize();
        for (int kind = 0; kind < KINDS; kind++) {
            kinds[kind] = Network.random(format, config.moeIntermediateSize(), hidden, 3L * kind, memory);
        }
        shared = Network.random(format, config.sharedIntermediateSize(), hidden, 3L * KINDS, memory);
        pool = new SwiGlu[Math.max(KINDS, copies(kinds[0].bytes()))];
        Arrays.setAll(pool, i -> kinds[i % KINDS].pack(memory));
        workspace = new MoeWorkspace(config, rows, team(rows));
        for (int layer = 0; layer < LAYERS; layer++) {
            layers[layer] = layer(layer, memory);
        }
        batch = Steps.prompt(rows);
        out = new Rows(rows, hidden);
        // As in an engine, all inputs share their storage.
        Rows storage = Matrices.rows(INPUTS * rows, hidden, 200);
        for (int i = 0; i < INPUTS; i++) {
            inputs[i] = storage.selection(rows);
            inputs[i].select(storage, i * rows, rows);
            input = i;
            layers[i % LAYERS].forward(inputs[i], batch, out);
            costs[i] = cost();
        }
    }

    private MixtureOfExperts layer(int layer, Arena memory) {
        var gate = Matrices.random("F32", config.nRoutedExperts(), config.hiddenSize(), 100L + layer, memory);
        List<SwiGlu> experts = IntStream.range(0, config.nRoutedExperts())
                .mapToObj(expert -> pool[place(layer, expert)])
                .toList();
        return new MixtureOfExperts(
                0,
                config,
                new Router("gate", config, gate.pack(memory), new float[0], workspace),
                new ResidentExperts(config, List.of(experts)),
                Optional.of(shared.pack(memory)),
                workspace);
    }

    /** Layers begin at different places of the pool. */
    private int place(int layer, int expert) {
        return (layer * config.nRoutedExperts() + expert) % pool.length;
    }

    private Cost cost() {
        Routing routing = workspace.routing();
        long chosen = IntStream.range(0, rows * config.numExpertsPerTok())
                .map(i -> routing.expert(i / config.numExpertsPerTok(), i % config.numExpertsPerTok()))
                .distinct()
                .count();
        double meetings = (double) rows * config.numExpertsPerTok();
        return cost(chosen * kinds[0].bytes() + shared.bytes(), meetings * kinds[0].flops() + rows * shared.flops());
    }

    @Override
    protected Cost invoke() {
        input = next(INPUTS);
        layers[input % LAYERS].forward(inputs[input], batch, out);
        return costs[input];
    }

    @Override
    protected float[] result() {
        return out.data();
    }

    /** By the router's own choice, which {@link RouterBenchmark} verifies. */
    @Override
    protected void verify(float[] found) {
        Routing routing = workspace.routing();
        for (int row : checked(rows, CHECKED_ROWS)) {
            double[] x = Plain.widen(inputs[input].data(), inputs[input].offset(row), config.hiddenSize());
            double[] expected = shared.forward(x);
            for (int rank = 0; rank < routing.count(row); rank++) {
                double weight = routing.weight(row, rank);
                int kind = place(input % LAYERS, routing.expert(row, rank)) % KINDS;
                double[] y = kinds[kind].forward(x);
                Arrays.setAll(expected, i -> expected[i] + weight * y[i]);
            }
            int terms = 2 * config.hiddenSize() + config.sharedIntermediateSize() + routing.expertsPerRow();
            double tolerance = Check.rounding(terms) * Plain.largest(expected);
            for (int i = 0; i < expected.length; i++) {
                Check.close("experts", row, i, found[out.offset(row) + i], expected[i], tolerance);
            }
        }
    }
}
