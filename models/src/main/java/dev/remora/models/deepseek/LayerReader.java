package dev.remora.models.deepseek;

import dev.remora.core.Activations;
import dev.remora.core.CheckpointException;
import dev.remora.core.RmsNorm;
import dev.remora.core.StoredMatrix;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.core.checkpoint.CheckpointScope;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.mla.MlaConfig;
import dev.remora.mla.MlaWeights;
import dev.remora.models.experts.StoredExpert;
import dev.remora.models.weights.WeightLoader;
import dev.remora.models.weights.WeightReaders;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.TopkMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Names the tensors of a layer, checks their shapes and formats, and announces its matrices to the loader. */
final class LayerReader {
    // The reference gives q_a_layernorm and kv_a_layernorm their class default, whatever rms_norm_eps says.
    private static final double LATENT_NORM_EPS = 1e-6;

    private final DeepSeekConfig config;
    private final WeightReaders readers;
    private final WeightReaders exactReaders;
    private final WeightLoader loader;
    private final boolean expertsStayInFiles;

    /** @param expertsStayInFiles routed experts are checked, but not announced to the loader */
    LayerReader(DeepSeekConfig config, WeightReaders readers, WeightLoader loader, boolean expertsStayInFiles) {
        this.config = config;
        this.readers = readers;
        this.exactReaders = new WeightReaders(config.blockSize(), Activations.F32);
        this.loader = loader;
        this.expertsStayInFiles = expertsStayInFiles;
    }

    /** The tensors of a layer, whose names begin with the scope. */
    LayerTensors read(int layer, CheckpointScope scope) {
        boolean sparse = config.sparse().get(layer);
        return new LayerTensors(
                norm(scope, "input_layernorm.weight"),
                norm(scope, "post_attention_layernorm.weight"),
                attention(scope.at("self_attn")),
                sparse ? Optional.empty() : Optional.of(dense(scope.at("mlp"))),
                sparse ? Optional.of(sparse(layer, scope.at("mlp"), config.moe().orElseThrow())) : Optional.empty());
    }

    private RmsNorm norm(CheckpointScope scope, String name) {
        return new RmsNorm(
                WeightReaders.vector(scope, name, "(hidden_size)", config.hiddenSize()), config.rmsNormEps());
    }

    private Supplier<MlaWeights> attention(CheckpointScope scope) {
        MlaConfig m = config.mla();
        int h = m.hiddenSize();
        int heads = m.numAttentionHeads();
        int queryWidth = heads * m.qkHeadDim();
        String queryRows = "num_attention_heads * (qk_nope_head_dim + qk_rope_head_dim)";
        boolean compressed = m.qLoraRank() > 0;
        Supplier<Weight> qProj =
                compressed ? null : add(scope, "q_proj.weight", "(" + queryRows + ", hidden_size)", queryWidth, h);
        Supplier<Weight> qAProj =
                compressed ? add(scope, "q_a_proj.weight", "(q_lora_rank, hidden_size)", m.qLoraRank(), h) : null;
        RmsNorm qALayernorm = compressed
                ? new RmsNorm(
                        WeightReaders.vector(scope, "q_a_layernorm.weight", "(q_lora_rank)", m.qLoraRank()),
                        LATENT_NORM_EPS)
                : null;
        Supplier<Weight> qBProj = compressed
                ? add(scope, "q_b_proj.weight", "(" + queryRows + ", q_lora_rank)", queryWidth, m.qLoraRank())
                : null;
        Supplier<Weight> kvAProj = add(
                scope,
                "kv_a_proj_with_mqa.weight",
                "(kv_lora_rank + qk_rope_head_dim, hidden_size)",
                m.cacheWidth(),
                h);
        RmsNorm kvALayernorm = new RmsNorm(
                WeightReaders.vector(scope, "kv_a_layernorm.weight", "(kv_lora_rank)", m.kvLoraRank()),
                LATENT_NORM_EPS);
        // Its input is the latent cache or, transposed, the query: the reference decodes it and rounds neither.
        StoredMatrix kvBProj = exactReaders.matrix(
                scope,
                "kv_b_proj.weight",
                "(num_attention_heads * (qk_nope_head_dim + v_head_dim), kv_lora_rank)",
                heads * m.kvUpHeadDim(),
                m.kvLoraRank());
        List<Supplier<Weight>> keyUp = new ArrayList<>();
        List<Supplier<Weight>> keyUpTransposed = new ArrayList<>();
        List<Supplier<Weight>> valueUp = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            // Per head first the rows of W_UK, then those of W_UV; W_UK is kept in both directions.
            StoredMatrix keys = kvBProj.rows(head * m.kvUpHeadDim(), m.qkNopeHeadDim());
            keyUp.add(loader.add(keys));
            keyUpTransposed.add(loader.add(keys.transposed()));
            valueUp.add(loader.add(kvBProj.rows(head * m.kvUpHeadDim() + m.qkNopeHeadDim(), m.vHeadDim())));
        }
        Supplier<Weight> oProj =
                add(scope, "o_proj.weight", "(hidden_size, num_attention_heads * v_head_dim)", h, heads * m.vHeadDim());
        float[] qABias = compressed ? bias(scope, "q_a_proj.bias", "(q_lora_rank)", m.qLoraRank()) : new float[0];
        float[] kvABias = bias(scope, "kv_a_proj_with_mqa.bias", "(kv_lora_rank + qk_rope_head_dim)", m.cacheWidth());
        float[] oBias = bias(scope, "o_proj.bias", "(hidden_size)", h);
        return () -> new MlaWeights(
                compressed ? null : qProj.get(),
                compressed ? qAProj.get() : null,
                qALayernorm,
                compressed ? qBProj.get() : null,
                kvAProj.get(),
                kvALayernorm,
                all(keyUp),
                all(keyUpTransposed),
                all(valueUp),
                oProj.get(),
                qABias,
                kvABias,
                oBias);
    }

    private float[] bias(CheckpointScope scope, String name, String formula, int length) {
        return config.attentionBias() ? WeightReaders.vector(scope, name, formula, length) : new float[0];
    }

    private Supplier<SwiGlu> dense(CheckpointScope mlp) {
        return network(mlp, "intermediate_size", config.intermediateSize());
    }

    private LayerTensors.Sparse sparse(int layer, CheckpointScope mlp, MoeConfig moe) {
        int experts = moe.nRoutedExperts();
        List<Supplier<SwiGlu>> routed = new ArrayList<>();
        List<StoredExpert> stored = new ArrayList<>();
        for (int expert = 0; expert < experts; expert++) {
            Parts parts = mlp.has("experts.gate_up_proj")
                    ? fusedExpert(mlp.at("experts"), moe, expert)
                    : parts(mlp.at("experts." + expert), "moe_intermediate_size", moe.moeIntermediateSize());
            if (expertsStayInFiles) {
                StoredExpert one = parts.stored(layer, expert);
                stored.add(one);
                routed.add(one::outline);
            } else {
                routed.add(parts.announce(loader));
            }
        }
        Optional<Supplier<SwiGlu>> shared = moe.nSharedExperts() == 0
                ? Optional.empty()
                : Optional.of(network(
                        mlp.at("shared_experts"),
                        "n_shared_experts * moe_intermediate_size",
                        moe.sharedIntermediateSize()));
        return new LayerTensors.Sparse(
                mlp.fullName("gate"),
                // The reference routes in f32 whatever else is rounded.
                loader.add(exactReaders.matrix(
                        mlp, "gate.weight", "(n_routed_experts, hidden_size)", experts, moe.hiddenSize())),
                moe.topkMethod() == TopkMethod.NOAUX_TC
                        ? WeightReaders.vector(mlp, "gate.e_score_correction_bias", "(n_routed_experts)", experts)
                        : new float[0],
                routed,
                stored,
                shared);
    }

    private Supplier<SwiGlu> network(CheckpointScope scope, String width, int intermediate) {
        return parts(scope, width, intermediate).announce(loader);
    }

    /** The matrices of one network, and the tensors that hold them. */
    private record Parts(Part gate, Part up, Part down) {
        private record Part(CheckpointScope scope, String name, StoredMatrix matrix) {
            StoredExpert.Part stored() {
                Tensor tensor = scope.tensor(name);
                if (tensor.fileOffset() < 0) {
                    throw new CheckpointException(
                            tensor.name() + ": expected a tensor in a file, which experts that are"
                                    + " not all in memory are read from, found one that was made in "
                                    + tensor.file() + "; save the model into a folder and load that");
                }
                long within = matrix.stored().address() - tensor.data().address();
                String file = scope.checkpoint().fileOf(tensor);
                return new StoredExpert.Part(tensor.name(), matrix, file, tensor.fileOffset() + within);
            }
        }

        StoredExpert stored(int layer, int expert) {
            return new StoredExpert(layer, expert, gate.stored(), up.stored(), down.stored());
        }

        Supplier<SwiGlu> announce(WeightLoader loader) {
            Supplier<Weight> g = loader.add(gate.matrix);
            Supplier<Weight> u = loader.add(up.matrix);
            Supplier<Weight> d = loader.add(down.matrix);
            return () -> new SwiGlu(g.get(), u.get(), d.get());
        }
    }

    private Parts parts(CheckpointScope scope, String width, int intermediate) {
        int h = config.hiddenSize();
        return new Parts(
                part(scope, "gate_proj.weight", "(" + width + ", hidden_size)", intermediate, h),
                part(scope, "up_proj.weight", "(" + width + ", hidden_size)", intermediate, h),
                part(scope, "down_proj.weight", "(hidden_size, " + width + ")", h, intermediate));
    }

    private Parts.Part part(CheckpointScope scope, String name, String formula, int rows, int cols) {
        return new Parts.Part(scope, name, readers.matrix(scope, name, formula, rows, cols));
    }

    /** The layout of newer checkpoints: all experts of a layer in one tensor, gate above up. */
    private Parts fusedExpert(CheckpointScope experts, MoeConfig moe, int expert) {
        int h = moe.hiddenSize();
        int width = moe.moeIntermediateSize();
        int count = moe.nRoutedExperts();
        StoredMatrix gateUp = readers.matrixOfStack(
                experts,
                "gate_up_proj",
                "(n_routed_experts, 2 * moe_intermediate_size, hidden_size)",
                count,
                expert,
                2 * width,
                h);
        StoredMatrix down = readers.matrixOfStack(
                experts,
                "down_proj",
                "(n_routed_experts, hidden_size, moe_intermediate_size)",
                count,
                expert,
                h,
                width);
        return new Parts(
                new Parts.Part(experts, "gate_up_proj", gateUp.rows(0, width)),
                new Parts.Part(experts, "gate_up_proj", gateUp.rows(width, width)),
                new Parts.Part(experts, "down_proj", down));
    }

    private Supplier<Weight> add(CheckpointScope scope, String name, String formula, int rows, int cols) {
        return loader.add(readers.matrix(scope, name, formula, rows, cols));
    }

    private static Weight[] all(List<Supplier<Weight>> suppliers) {
        return suppliers.stream().map(Supplier::get).toArray(Weight[]::new);
    }
}
