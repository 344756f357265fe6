package dev.remora.moe;

import dev.remora.core.CheckpointException;
import dev.remora.core.SwiGlu;
import java.util.List;

/** All experts in memory. */
public final class ResidentExperts implements ExpertStore {
    private final SwiGlu[][] experts;

    /**
     * @param layers for each layer of the model its experts; an empty list where the layer is dense
     * @throws CheckpointException if a layer's number of experts or a shape differs from the configuration
     */
    public ResidentExperts(MoeConfig config, List<List<SwiGlu>> layers) {
        experts = new SwiGlu[layers.size()][];
        for (int layer = 0; layer < experts.length; layer++) {
            experts[layer] = layers.get(layer).toArray(SwiGlu[]::new);
            int found = experts[layer].length;
            if (found != 0 && found != config.nRoutedExperts()) {
                throw new CheckpointException("layer " + layer + ": expected n_routed_experts = "
                        + config.nRoutedExperts() + " experts, found " + found);
            }
            for (int expert = 0; expert < found; expert++) {
                requireShape(
                        "layer " + layer + ", expert " + expert,
                        experts[layer][expert],
                        "moe_intermediate_size",
                        config.moeIntermediateSize(),
                        config.hiddenSize());
            }
        }
    }

    /** The one check of an expert's shape; gate, up and down already fit together. */
    static void requireShape(String name, SwiGlu network, String key, int intermediateSize, int hiddenSize) {
        if (network.intermediateSize() != intermediateSize
                || network.gate().cols() != hiddenSize
                || network.down().rows() != hiddenSize) {
            throw new CheckpointException(name + ": expected gate and up (" + intermediateSize + ", " + hiddenSize
                    + ") = (" + key + ", hidden_size) and down (" + hiddenSize + ", " + intermediateSize
                    + "), found gate and up (" + network.intermediateSize() + ", "
                    + network.gate().cols() + ") and down (" + network.down().rows() + ", "
                    + network.down().cols() + ")");
        }
    }

    @Override
    public int acquire(int layer, int[] ids, int from, int to, SwiGlu[] into) {
        for (int i = from; i < to; i++) {
            into[i - from] = experts[layer][ids[i]];
        }
        return to - from;
    }

    @Override
    public void release(int layer, int[] ids, int from, int to) {
        // Resident experts stay.
    }
}
