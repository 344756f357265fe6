package dev.remora.models.deepseek;

import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.mla.MlaWeights;
import java.util.List;
import java.util.Optional;

/**
 * The matrices of one layer in memory. A layer is either dense or sparse.
 *
 * @param dense   the network of a dense layer
 * @param gate    the router's matrix; this and what follows are those of a sparse layer
 * @param experts routed experts; empty in a dense layer
 * @param shared  the shared experts as one network, where there are any
 */
public record LayerWeights(
        MlaWeights attention,
        Optional<SwiGlu> dense,
        Optional<Weight> gate,
        List<SwiGlu> experts,
        Optional<SwiGlu> shared) {
    public LayerWeights {
        experts = List.copyOf(experts);
    }
}
