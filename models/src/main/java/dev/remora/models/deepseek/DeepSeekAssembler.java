package dev.remora.models.deepseek;

import dev.remora.core.Attention;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.CheckpointException;
import dev.remora.core.DenseFeedForward;
import dev.remora.core.FeedForward;
import dev.remora.core.RmsNorm;
import dev.remora.core.Rope;
import dev.remora.core.Rows;
import dev.remora.core.StoredMatrix;
import dev.remora.core.SwiGlu;
import dev.remora.core.SwiGluGroups;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointScope;
import dev.remora.mla.Evaluation;
import dev.remora.mla.MlaConfig;
import dev.remora.mla.MlaWeights;
import dev.remora.mla.MlaWorkspace;
import dev.remora.mla.MultiHeadLatentAttention;
import dev.remora.models.transformer.Block;
import dev.remora.models.transformer.Transformer;
import dev.remora.models.weights.WeightLoader;
import dev.remora.models.weights.WeightReaders;
import dev.remora.moe.MixtureOfExperts;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.ResidentExperts;
import dev.remora.moe.Router;
import dev.remora.moe.RoutingListener;
import dev.remora.moe.TopkMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Builds a transformer from the tensors of a checkpoint. The constructor names, checks and announces all of them; {@link
 * #assemble} puts the repacked weights together.
 */
public final class DeepSeekAssembler {
    // The reference gives q_a_layernorm and kv_a_layernorm their class default, whatever rms_norm_eps says.
    private static final double LATENT_NORM_EPS = 1e-6;

    private final DeepSeekConfig config;
    private final WeightReaders readers;
    private final WeightLoader loader;
    private final CheckpointScope root;
    private final CheckpointScope model;
    private final StoredMatrix embedTokens;
    private final float[] norm;
    private final Supplier<Weight> lmHead;
    private final List<LayerTensors> layers = new ArrayList<>();

    /** The parts of one layer that are known before loading. */
    private record LayerTensors(
            RmsNorm inputLayernorm,
            RmsNorm postAttentionLayernorm,
            Supplier<MlaWeights> attention,
            Optional<Supplier<SwiGlu>> dense,
            Optional<SparseTensors> sparse) {}

    @SuppressWarnings("ArrayRecordComponent") // a holder of parts, never compared
    private record SparseTensors(
            String gateName,
            Supplier<Weight> gate,
            float[] bias,
            List<Supplier<SwiGlu>> experts,
            Optional<Supplier<SwiGlu>> shared) {}

    /**
     * Checks names, shapes and formats of all tensors that the forward pass needs, and announces them to the loader.
     */
    public DeepSeekAssembler(DeepSeekConfig config, Checkpoint checkpoint, WeightLoader loader) {
        this.config = config;
        this.readers = new WeightReaders(config.blockSize());
        this.loader = loader;
        this.root = checkpoint.root();
        this.model = languageModel(root);
        CheckpointScope head = root.has("language_model.lm_head.weight") ? root.at("language_model") : root;
        int h = config.hiddenSize();
        embedTokens = readers.matrix(model, "embed_tokens.weight", "(vocab_size, hidden_size)", config.vocabSize(), h);
        norm = WeightReaders.vector(model, "norm.weight", "(hidden_size)", h);
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            layers.add(layer(model.at("layers." + layer), config.sparse().get(layer)));
        }
        lmHead = config.tieWordEmbeddings()
                ? loader.add(embedTokens)
                : add(head, "lm_head.weight", "(vocab_size, hidden_size)", config.vocabSize(), h);
    }

    /** Where a checkpoint that describes more than the language model keeps it. */
    private static CheckpointScope languageModel(CheckpointScope root) {
        for (String folder : List.of("model", "language_model.model", "model.language_model")) {
            if (root.has(folder + ".embed_tokens.weight")) {
                return root.at(folder);
            }
        }
        return root.at("model");
    }

    /**
     * Tensors that the forward pass does not read: those of extra prediction layers, tables that are computed here, and a
     * second copy of a tied head.
     */
    public Set<String> unused() {
        return root.unused();
    }

    /**
     * Makes sure that nothing was overlooked.
     *
     * @throws CheckpointException if there are tensors that belong to no part of the model
     */
    public void rejectUnusedTensors() {
        List<String> strangers =
                unused().stream().filter(name -> !expectedUnused(name)).toList();
        if (!strangers.isEmpty()) {
            throw new CheckpointException(root.checkpoint().source().describe() + ": " + strangers.size()
                    + " tensors belong to no part of this model, for example "
                    + String.join(", ", strangers.subList(0, Math.min(3, strangers.size())))
                    + ". Are config.json and the weights from the same revision?");
        }
    }

    private boolean expectedUnused(String name) {
        String here = model.fullName("");
        if (!name.startsWith(here)) {
            // Beside the language model: a tied head's second copy, or the towers of a model that also sees.
            return config.nested() || (config.tieWordEmbeddings() && name.equals("lm_head.weight"));
        }
        if (name.endsWith("rotary_emb.inv_freq")) {
            return true;
        }
        String inside = name.substring(here.length());
        if (!inside.startsWith("layers.")) {
            return false;
        }
        String layer = inside.substring("layers.".length(), Math.max(inside.indexOf('.', 7), 7));
        return layer.chars().allMatch(Character::isDigit)
                && layer.length() < 6
                && !layer.isEmpty()
                && Integer.parseInt(layer) >= config.numHiddenLayers()
                && model.has("layers." + layer + ".eh_proj.weight");
    }

    private LayerTensors layer(CheckpointScope scope, boolean sparse) {
        return new LayerTensors(
                norm(scope, "input_layernorm.weight"),
                norm(scope, "post_attention_layernorm.weight"),
                attention(scope.at("self_attn")),
                sparse ? Optional.empty() : Optional.of(dense(scope.at("mlp"))),
                sparse ? Optional.of(sparse(scope.at("mlp"), config.moe().orElseThrow())) : Optional.empty());
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
        StoredMatrix kvBProj = readers.matrix(
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

    private SparseTensors sparse(CheckpointScope mlp, MoeConfig moe) {
        int experts = moe.nRoutedExperts();
        List<Supplier<SwiGlu>> routed = new ArrayList<>();
        for (int expert = 0; expert < experts; expert++) {
            routed.add(
                    mlp.has("experts.gate_up_proj")
                            ? fusedExpert(mlp.at("experts"), moe, expert)
                            : network(mlp.at("experts." + expert), "moe_intermediate_size", moe.moeIntermediateSize()));
        }
        Optional<Supplier<SwiGlu>> shared = moe.nSharedExperts() == 0
                ? Optional.empty()
                : Optional.of(network(
                        mlp.at("shared_experts"),
                        "n_shared_experts * moe_intermediate_size",
                        moe.sharedIntermediateSize()));
        return new SparseTensors(
                mlp.fullName("gate"),
                add(mlp, "gate.weight", "(n_routed_experts, hidden_size)", experts, moe.hiddenSize()),
                moe.topkMethod() == TopkMethod.NOAUX_TC
                        ? WeightReaders.vector(mlp, "gate.e_score_correction_bias", "(n_routed_experts)", experts)
                        : new float[0],
                routed,
                shared);
    }

    private Supplier<SwiGlu> network(CheckpointScope scope, String width, int intermediate) {
        int h = config.hiddenSize();
        Supplier<Weight> gate = add(scope, "gate_proj.weight", "(" + width + ", hidden_size)", intermediate, h);
        Supplier<Weight> up = add(scope, "up_proj.weight", "(" + width + ", hidden_size)", intermediate, h);
        Supplier<Weight> down = add(scope, "down_proj.weight", "(hidden_size, " + width + ")", h, intermediate);
        return () -> new SwiGlu(gate.get(), up.get(), down.get());
    }

    /** The layout of newer checkpoints: all experts of a layer in one tensor, gate above up. */
    private Supplier<SwiGlu> fusedExpert(CheckpointScope experts, MoeConfig moe, int expert) {
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
        Supplier<Weight> gate = loader.add(gateUp.rows(0, width));
        Supplier<Weight> up = loader.add(gateUp.rows(width, width));
        Supplier<Weight> down = loader.add(readers.matrixOfStack(
                experts,
                "down_proj",
                "(n_routed_experts, hidden_size, moe_intermediate_size)",
                count,
                expert,
                h,
                width));
        return () -> new SwiGlu(gate.get(), up.get(), down.get());
    }

    private Supplier<Weight> add(CheckpointScope scope, String name, String formula, int rows, int cols) {
        return loader.add(readers.matrix(scope, name, formula, rows, cols));
    }

    private static Weight[] all(List<Supplier<Weight>> suppliers) {
        return suppliers.stream().map(Supplier::get).toArray(Weight[]::new);
    }

    /** The embedding as stored: looked up by rows, so it keeps its order. */
    public StoredMatrix embedTokens() {
        return embedTokens;
    }

    /** The memory of all sequences. */
    public CachePool cachePool(CacheFormat format, long maxBytes) {
        return new CachePool(config.numHiddenLayers(), config.mla().cacheWidth() * format.bytes(), maxBytes);
    }

    /** Bytes of all rows that {@link #assemble} allocates, for the account of memory before loading. */
    public static long workspaceBytes(DeepSeekConfig config, int maxRows, int threads) {
        return Transformer.bytes(config.hiddenSize(), config.vocabSize(), maxRows)
                + MlaWorkspace.bytes(config.mla(), maxRows, threads)
                + config.moe().map(moe -> MoeWorkspace.bytes(moe, maxRows)).orElse(0L)
                + (long) Float.BYTES * maxRows * config.intermediateSize();
    }

    /**
     * The transformer, once the loader has loaded.
     *
     * @param embedding  the embedding in memory that outlives the checkpoint
     * @param maxRows    most rows of a step
     * @param evaluation of the attention
     * @param listener   sees the router's decisions
     */
    public Transformer assemble(
            StoredMatrix embedding,
            ThreadTeam team,
            int maxRows,
            CacheFormat cacheFormat,
            Evaluation evaluation,
            RoutingListener listener) {
        Rope rope = new Rope(config.mla().qkRopeHeadDim(), config.ropeTheta(), config.ropeScaling());
        MlaWorkspace attention = new MlaWorkspace(config.mla(), rope, cacheFormat, evaluation, team, maxRows);
        SwiGluGroups denseGroups = new SwiGluGroups(team, 1);
        Rows activation = new Rows(maxRows, config.sparse().contains(false) ? config.intermediateSize() : 0);
        MoeWorkspace sparseWorkspace =
                config.moe().map(moe -> new MoeWorkspace(moe, maxRows, team)).orElse(null);
        ResidentExperts experts = config.moe().map(this::residentExperts).orElse(null);
        if (sparseWorkspace != null) {
            sparseWorkspace.listen(listener);
        }
        List<Block> blocks = new ArrayList<>();
        for (int layer = 0; layer < layers.size(); layer++) {
            LayerTensors tensors = layers.get(layer);
            Attention selfAttn = new MultiHeadLatentAttention(tensors.attention.get(), attention);
            FeedForward mlp = tensors.dense.isPresent()
                    ? new DenseFeedForward(tensors.dense.get().get(), denseGroups, activation)
                    : mixture(layer, tensors.sparse.orElseThrow(), experts, sparseWorkspace);
            blocks.add(new Block(tensors.inputLayernorm, selfAttn, tensors.postAttentionLayernorm, mlp));
        }
        return new Transformer(embedding, blocks, new RmsNorm(norm, config.rmsNormEps()), lmHead.get(), team, maxRows);
    }

    private ResidentExperts residentExperts(MoeConfig moe) {
        List<List<SwiGlu>> byLayer = new ArrayList<>();
        for (LayerTensors layer : layers) {
            byLayer.add(
                    layer.sparse.isEmpty()
                            ? List.of()
                            : layer.sparse.get().experts.stream()
                                    .map(Supplier::get)
                                    .toList());
        }
        return new ResidentExperts(moe, byLayer);
    }

    private MixtureOfExperts mixture(
            int layer, SparseTensors tensors, ResidentExperts experts, MoeWorkspace workspace) {
        MoeConfig moe = config.moe().orElseThrow();
        Router router = new Router(tensors.gateName, moe, tensors.gate.get(), tensors.bias, workspace);
        return new MixtureOfExperts(layer, moe, router, experts, tensors.shared.map(Supplier::get), workspace);
    }
}
