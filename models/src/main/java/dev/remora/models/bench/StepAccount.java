package dev.remora.models.bench;

import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.mla.Evaluation;
import dev.remora.mla.MlaConfig;
import dev.remora.mla.MlaWeights;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.deepseek.LayerWeights;
import dev.remora.moe.MoeConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * The least that a step costs: for each phase of each layer the bytes of its weights and of the cache, read once, and the
 * operations of its matrix products. A weight (rows, cols) that meets n rows takes 2 * rows * cols * n. What is small is
 * left out: norms, softmax, rotations, the embedding, activations.
 *
 * <p>Attention is counted in the evaluation that the engine chooses, with n rows of a sequence of T cached positions:
 *
 * <pre>
 *   absorbed   W_UK and W_UV on n rows;     (2 c + r) values for each visible position and head
 *   expanded   W_UK and W_UV on T + n rows; (nope + r + v) values for each visible position and head
 * </pre>
 */
final class StepAccount {
    private final DeepSeekConfig config;
    private final MlaConfig mla;
    private final List<LayerWeights> layers;
    private final Weight head;
    private final int cacheRowBytes;
    private final Evaluation evaluation;

    /**
     * @param head          (vocab_size, hidden_size)
     * @param cacheRowBytes of one position in one layer
     */
    StepAccount(
            DeepSeekConfig config, List<LayerWeights> layers, Weight head, int cacheRowBytes, Evaluation evaluation) {
        this.config = config;
        this.mla = config.mla();
        this.layers = layers;
        this.head = head;
        this.cacheRowBytes = cacheRowBytes;
        this.evaluation = evaluation;
    }

    /** All phases of a step, layer after layer, then the head; phases without work are left out. */
    List<PhaseCost> phases(StepShape step) {
        List<PhaseCost> phases = new ArrayList<>();
        int rows = step.totalRows();
        for (int layer = 0; layer < layers.size(); layer++) {
            LayerWeights weights = layers.get(layer);
            attention(weights.attention(), step, rows, phases);
            weights.dense().ifPresent(network -> phases.add(network("dense feed-forward", network, rows)));
            weights.gate().ifPresent(gate -> phases.add(matrices("router", rows, gate)));
            if (!weights.experts().isEmpty()) {
                phases.add(experts(weights, step.distinctExperts()[layer], step.meetings()[layer]));
            }
            weights.shared().ifPresent(network -> phases.add(network("shared experts", network, rows)));
        }
        if (step.logitRows() > 0) {
            phases.add(matrices("head", step.logitRows(), head));
        }
        return phases;
    }

    /** The shape of a step in which one sequence decodes one row. */
    StepShape oneRow(int past) {
        int chosen = config.moe().map(MoeConfig::numExpertsPerTok).orElse(0);
        int[] distinct = layers.stream()
                .mapToInt(layer -> layer.experts().isEmpty() ? 0 : chosen)
                .toArray();
        return new StepShape(new int[] {past}, new int[] {1}, distinct, distinct, 1);
    }

    private void attention(MlaWeights w, StepShape step, int rows, List<PhaseCost> phases) {
        phases.add(
                w.qProj() == null
                        ? matrices("attention projections", rows, w.qAProj(), w.qBProj(), w.kvAProjWithMqa())
                        : matrices("attention projections", rows, w.qProj(), w.kvAProjWithMqa()));
        long absorbedRows = 0;
        long expandedRows = 0;
        long cacheBytes = 0;
        double attended = 0;
        int absorbedValues = 2 * mla.kvLoraRank() + mla.qkRopeHeadDim();
        int expandedValues = mla.qkHeadDim() + mla.vHeadDim();
        for (int segment = 0; segment < step.rows().length; segment++) {
            int past = step.past()[segment];
            int n = step.rows()[segment];
            boolean expands = evaluation.expands(mla, past, n);
            // Row i of n sees past + i + 1 positions.
            double visible = (double) n * past + n * (n + 1.0) / 2;
            attended += 2 * visible * mla.numAttentionHeads() * (expands ? expandedValues : absorbedValues);
            cacheBytes += (long) (past + n) * cacheRowBytes;
            if (expands) {
                expandedRows += past + n;
            } else {
                absorbedRows += n;
            }
        }
        if (absorbedRows > 0) {
            phases.add(matrices("W_UK, absorbed", absorbedRows, w.keyUpTransposed()));
        }
        if (expandedRows > 0) {
            phases.add(matrices("W_UK, expanded", expandedRows, w.keyUp()));
        }
        phases.add(new PhaseCost("attention over the cache", cacheBytes, attended));
        phases.add(matrices("W_UV", absorbedRows + expandedRows, w.valueUp()));
        phases.add(matrices("output projection", rows, w.oProj()));
    }

    private PhaseCost experts(LayerWeights weights, int distinct, int meetings) {
        SwiGlu expert = weights.experts().getFirst();
        return new PhaseCost("routed experts", distinct * expert.bytes(), flops(expert) * meetings);
    }

    private static PhaseCost network(String name, SwiGlu network, long rows) {
        return new PhaseCost(name, network.bytes(), flops(network) * rows);
    }

    private static PhaseCost matrices(String name, long rows, Weight... weights) {
        long bytes = 0;
        double flops = 0;
        for (Weight weight : weights) {
            bytes += weight.bytes();
            flops += flops(weight);
        }
        return new PhaseCost(name, bytes, flops * rows);
    }

    private static double flops(SwiGlu network) {
        return flops(network.gate()) + flops(network.up()) + flops(network.down());
    }

    private static double flops(Weight weight) {
        return 2.0 * weight.rows() * weight.cols();
    }
}
