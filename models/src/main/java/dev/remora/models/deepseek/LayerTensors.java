package dev.remora.models.deepseek;

import dev.remora.core.RmsNorm;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.mla.MlaWeights;
import dev.remora.models.experts.StoredExpert;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The parts of one layer that are known before loading; the suppliers answer after it. Either dense or sparse is there. */
record LayerTensors(
        RmsNorm inputLayernorm,
        RmsNorm postAttentionLayernorm,
        Supplier<MlaWeights> attention,
        Optional<Supplier<SwiGlu>> dense,
        Optional<Sparse> sparse) {
    /**
     * A mixture of experts.
     *
     * @param stored the experts, if they stay in their files; the suppliers then answer outlines
     */
    @SuppressWarnings("ArrayRecordComponent") // a holder of parts, never compared
    record Sparse(
            String gateName,
            Supplier<Weight> gate,
            float[] bias,
            List<Supplier<SwiGlu>> experts,
            List<StoredExpert> stored,
            Optional<Supplier<SwiGlu>> shared) {}

    /** What the suppliers answer after loading. */
    LayerWeights weights() {
        return new LayerWeights(
                attention.get(),
                dense.map(Supplier::get),
                sparse.map(layer -> layer.gate().get()),
                sparse.map(layer -> layer.experts().stream().map(Supplier::get).toList())
                        .orElse(List.of()),
                sparse.flatMap(layer -> layer.shared().map(Supplier::get)));
    }
}
