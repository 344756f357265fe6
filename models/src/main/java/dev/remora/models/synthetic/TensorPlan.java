package dev.remora.models.synthetic;

import dev.remora.core.checkpoint.DType;
import dev.remora.mla.MlaConfig;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.synthetic.Specification.Precision;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.TopkMethod;
import java.util.ArrayList;
import java.util.List;

/** The tensors of a checkpoint of the family, by the names and in the types of the published ones. */
final class TensorPlan {
    private static final int BLOCK = 128;

    private final DeepSeekConfig config;
    private final DType matrices;
    private final DType others;
    private final DType biases;
    private final List<Planned> tensors = new ArrayList<>();

    /** What the numbers of a tensor are. */
    enum Content {
        /** Gaussian. */
        WEIGHTS,
        /** One scale for each block of the tensor before. */
        SCALES,
        /** All 1. */
        NORM,
        /** Small numbers around 0. */
        BIAS
    }

    /** @param cols 0: a vector */
    record Planned(String name, Content content, DType dtype, int rows, int cols) {
        long elements() {
            return (long) rows * Math.max(1, cols);
        }

        long bytes() {
            return elements() * dtype.byteSize();
        }

        long[] shape() {
            return cols == 0 ? new long[] {rows} : new long[] {rows, cols};
        }
    }

    TensorPlan(Specification specification) {
        config = specification.config();
        Precision precision = specification.precision();
        others = precision == Precision.F32 ? DType.F32 : DType.BF16;
        matrices = precision == Precision.FP8 ? DType.F8_E4M3 : others;
        biases = DType.F32;
        // As published, embedding, head and router keep their precision; so do all vectors.
        weights("model.embed_tokens", others, config.vocabSize(), config.hiddenSize());
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            layer("model.layers." + layer + ".", config.sparse().get(layer));
        }
        norm("model.norm", config.hiddenSize());
        weights("lm_head", others, config.vocabSize(), config.hiddenSize());
    }

    List<Planned> tensors() {
        return tensors;
    }

    long bytes() {
        return tensors.stream().mapToLong(Planned::bytes).sum();
    }

    /** Most elements of a tensor of this content and type; 0 if there is none. */
    long largest(Content content, DType dtype) {
        return tensors.stream()
                .filter(t -> t.content == content && t.dtype == dtype)
                .mapToLong(Planned::elements)
                .max()
                .orElse(0);
    }

    private void layer(String prefix, boolean sparse) {
        norm(prefix + "input_layernorm", config.hiddenSize());
        attention(prefix + "self_attn.", config.mla());
        norm(prefix + "post_attention_layernorm", config.hiddenSize());
        if (sparse) {
            mixture(prefix + "mlp.", config.moe().orElseThrow());
        } else {
            network(prefix + "mlp.", config.intermediateSize());
        }
    }

    private void attention(String prefix, MlaConfig m) {
        int heads = m.numAttentionHeads();
        int queries = heads * m.qkHeadDim();
        if (m.qLoraRank() > 0) {
            matrix(prefix + "q_a_proj", m.qLoraRank(), m.hiddenSize());
            norm(prefix + "q_a_layernorm", m.qLoraRank());
            matrix(prefix + "q_b_proj", queries, m.qLoraRank());
        } else {
            matrix(prefix + "q_proj", queries, m.hiddenSize());
        }
        matrix(prefix + "kv_a_proj_with_mqa", m.cacheWidth(), m.hiddenSize());
        norm(prefix + "kv_a_layernorm", m.kvLoraRank());
        matrix(prefix + "kv_b_proj", heads * m.kvUpHeadDim(), m.kvLoraRank());
        matrix(prefix + "o_proj", m.hiddenSize(), heads * m.vHeadDim());
    }

    private void mixture(String prefix, MoeConfig moe) {
        weights(prefix + "gate", others, moe.nRoutedExperts(), moe.hiddenSize());
        if (moe.topkMethod() == TopkMethod.NOAUX_TC) {
            tensors.add(new Planned(
                    prefix + "gate.e_score_correction_bias", Content.BIAS, biases, moe.nRoutedExperts(), 0));
        }
        for (int expert = 0; expert < moe.nRoutedExperts(); expert++) {
            network(prefix + "experts." + expert + ".", moe.moeIntermediateSize());
        }
        if (moe.nSharedExperts() > 0) {
            network(prefix + "shared_experts.", moe.sharedIntermediateSize());
        }
    }

    private void network(String prefix, int width) {
        matrix(prefix + "gate_proj", width, config.hiddenSize());
        matrix(prefix + "up_proj", width, config.hiddenSize());
        matrix(prefix + "down_proj", config.hiddenSize(), width);
    }

    private void matrix(String name, int rows, int cols) {
        weights(name, matrices, rows, cols);
        if (matrices == DType.F8_E4M3) {
            tensors.add(new Planned(
                    name + ".weight_scale_inv",
                    Content.SCALES,
                    DType.F32,
                    Math.ceilDiv(rows, BLOCK),
                    Math.ceilDiv(cols, BLOCK)));
        }
    }

    private void weights(String name, DType dtype, int rows, int cols) {
        tensors.add(new Planned(name + ".weight", Content.WEIGHTS, dtype, rows, cols));
    }

    private void norm(String name, int length) {
        tensors.add(new Planned(name + ".weight", Content.NORM, others, length, 0));
    }
}
