package dev.remora.models.deepseek;

import dev.remora.core.Activations;
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
import dev.remora.mla.MlaWorkspace;
import dev.remora.mla.MultiHeadLatentAttention;
import dev.remora.models.experts.StoredExpert;
import dev.remora.models.transformer.Block;
import dev.remora.models.transformer.Transformer;
import dev.remora.models.weights.WeightLoader;
import dev.remora.models.weights.WeightReaders;
import dev.remora.moe.ExpertStore;
import dev.remora.moe.MixtureOfExperts;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.ResidentExperts;
import dev.remora.moe.Router;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Builds a transformer from the tensors of a checkpoint. The constructor finds, checks and announces all of them; {@link
 * #assemble} puts the repacked weights together.
 */
public final class DeepSeekAssembler {
    private final DeepSeekConfig config;
    private final CheckpointScope root;
    private final CheckpointScope model;
    private final StoredMatrix embedTokens;
    private final float[] norm;
    private final Supplier<Weight> lmHead;
    private final boolean roundsInputs;
    private final List<LayerTensors> layers = new ArrayList<>();

    /**
     * Checks names, shapes and formats of all tensors that the forward pass needs, and announces them to the loader.
     *
     * @param activations what the inputs of FP8 matrices are rounded to
     * @throws IllegalArgumentException if they shall be rounded and there is no such matrix
     */
    public DeepSeekAssembler(
            DeepSeekConfig config, Checkpoint checkpoint, WeightLoader loader, Activations activations) {
        this(config, checkpoint, loader, activations, false);
    }

    /**
     * As the other constructor.
     *
     * @param expertsStayInFiles routed experts are checked, but not announced to the loader; {@link #storedExperts} has them
     */
    public DeepSeekAssembler(
            DeepSeekConfig config,
            Checkpoint checkpoint,
            WeightLoader loader,
            Activations activations,
            boolean expertsStayInFiles) {
        this.config = config;
        this.root = checkpoint.root();
        this.model = languageModel(root);
        WeightReaders readers = new WeightReaders(config.blockSize(), activations);
        LayerReader layerReader = new LayerReader(config, readers, loader, expertsStayInFiles);
        CheckpointScope head = root.has("language_model.lm_head.weight") ? root.at("language_model") : root;
        int h = config.hiddenSize();
        embedTokens = readers.matrix(model, "embed_tokens.weight", "(vocab_size, hidden_size)", config.vocabSize(), h);
        norm = WeightReaders.vector(model, "norm.weight", "(hidden_size)", h);
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            layers.add(layerReader.read(layer, model.at("layers." + layer)));
        }
        lmHead = config.tieWordEmbeddings()
                ? loader.add(embedTokens)
                : loader.add(
                        readers.matrix(head, "lm_head.weight", "(vocab_size, hidden_size)", config.vocabSize(), h));
        roundsInputs = readers.roundedInputs() > 0;
        if (activations == Activations.FP8 && !roundsInputs) {
            throw new IllegalArgumentException(
                    "activations: FP8 rounds what matrices stored as F8_E4M3 multiply, found no" + " such matrix in "
                            + checkpoint.source().describe() + "; take an FP8 checkpoint, or F32");
        }
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
        new UnusedTensors(config, root, model).reject();
    }

    /** The embedding as stored: looked up by rows, so it keeps its order. */
    public StoredMatrix embedTokens() {
        return embedTokens;
    }

    /** The routed experts of each layer that stay in their files; empty lists where there are none. */
    public List<List<StoredExpert>> storedExperts() {
        return layers.stream()
                .map(layer -> layer.sparse().map(LayerTensors.Sparse::stored).orElse(List.of()))
                .toList();
    }

    /** The matrices of each layer, once the loader has loaded. */
    public List<LayerWeights> layerWeights() {
        return layers.stream().map(LayerTensors::weights).toList();
    }

    /** The head, (vocab_size, hidden_size), once the loader has loaded. */
    public Weight head() {
        return lmHead.get();
    }

    /** The memory of all sequences. */
    public CachePool cachePool(CacheFormat format, long maxBytes) {
        return new CachePool(config.numHiddenLayers(), config.mla().cacheWidth() * format.bytes(), maxBytes);
    }

    /** Bytes of the Java heap that {@link #assemble} and its team allocate, for the account of memory before loading. */
    public long workspaceBytes(int maxRows, int threads) {
        return Transformer.bytes(config.hiddenSize(), config.vocabSize(), maxRows)
                + MlaWorkspace.bytes(config.mla(), maxRows, threads)
                + config.moe().map(moe -> MoeWorkspace.bytes(moe, maxRows)).orElse(0L)
                + Rows.bytes(maxRows, config.sparse().contains(false) ? config.intermediateSize() : 0)
                + ThreadTeam.bytes(threads, maxRows, inputWidth())
                + (roundsInputs ? SwiGluGroups.bytes(swiGluGroups(maxRows), maxRows) : 0);
    }

    /** Most networks that one step of a layer runs. */
    private int swiGluGroups(int maxRows) {
        return 1
                + config.moe()
                        .map(moe -> Math.min(moe.nRoutedExperts(), maxRows * moe.numExpertsPerTok()))
                        .orElse(0);
    }

    /** Width of the rows that the team of {@link #assemble} must be able to transform; 0: none. */
    public int inputWidth() {
        int heads = config.mla().numAttentionHeads() * config.mla().vHeadDim();
        return roundsInputs
                ? Math.max(Math.max(config.hiddenSize(), heads), config.mla().qLoraRank())
                : 0;
    }

    /** The buffers of the sparse layers, if there are any. */
    public Optional<MoeWorkspace> moeWorkspace(int maxRows, ThreadTeam team) {
        return config.moe().map(moe -> new MoeWorkspace(moe, maxRows, team));
    }

    /**
     * The transformer, once the loader has loaded.
     *
     * @param embedding  the embedding in memory that outlives the checkpoint
     * @param team       that can transform rows of {@link #inputWidth}
     * @param maxRows    most rows of a step
     * @param evaluation of the attention
     * @param experts    what {@link #moeWorkspace} made
     */
    public Transformer assemble(
            StoredMatrix embedding,
            ThreadTeam team,
            int maxRows,
            CacheFormat cacheFormat,
            Evaluation evaluation,
            Optional<MoeWorkspace> experts) {
        Optional<ExpertStore> store = config.moe().map(this::residentExperts);
        return assemble(embedding, team, maxRows, cacheFormat, evaluation, experts, store);
    }

    /**
     * As the other method.
     *
     * @param store of the routed experts, if there are any
     */
    public Transformer assemble(
            StoredMatrix embedding,
            ThreadTeam team,
            int maxRows,
            CacheFormat cacheFormat,
            Evaluation evaluation,
            Optional<MoeWorkspace> experts,
            Optional<ExpertStore> store) {
        Rope rope = new Rope(config.mla().qkRopeHeadDim(), config.ropeTheta(), config.ropeScaling());
        MlaWorkspace attention = new MlaWorkspace(config.mla(), rope, cacheFormat, evaluation, team, maxRows);
        SwiGluGroups denseGroups = new SwiGluGroups(team, 1);
        Rows activation = new Rows(maxRows, config.sparse().contains(false) ? config.intermediateSize() : 0);
        List<Block> blocks = new ArrayList<>();
        MixtureOfExperts before = null;
        for (int layer = 0; layer < layers.size(); layer++) {
            LayerTensors tensors = layers.get(layer);
            Attention selfAttn =
                    new MultiHeadLatentAttention(tensors.attention().get(), attention);
            FeedForward mlp;
            if (tensors.dense().isPresent()) {
                mlp = new DenseFeedForward(tensors.dense().get().get(), denseGroups, activation);
            } else {
                MixtureOfExperts mixture =
                        mixture(layer, tensors.sparse().orElseThrow(), store.orElseThrow(), experts.orElseThrow());
                if (before != null) {
                    before.before(mixture);
                }
                before = mixture;
                mlp = mixture;
            }
            blocks.add(new Block(tensors.inputLayernorm(), selfAttn, tensors.postAttentionLayernorm(), mlp));
        }
        return new Transformer(embedding, blocks, new RmsNorm(norm, config.rmsNormEps()), lmHead.get(), team, maxRows);
    }

    private ExpertStore residentExperts(MoeConfig moe) {
        List<List<SwiGlu>> byLayer = new ArrayList<>();
        for (LayerTensors layer : layers) {
            byLayer.add(
                    layer.sparse().isEmpty()
                            ? List.of()
                            : layer.sparse().get().experts().stream()
                                    .map(Supplier::get)
                                    .toList());
        }
        return new ResidentExperts(moe, byLayer);
    }

    private MixtureOfExperts mixture(
            int layer, LayerTensors.Sparse tensors, ExpertStore experts, MoeWorkspace workspace) {
        MoeConfig moe = config.moe().orElseThrow();
        Router router = new Router(tensors.gateName(), moe, tensors.gate().get(), tensors.bias(), workspace);
        return new MixtureOfExperts(
                layer, moe, router, experts, tensors.shared().map(Supplier::get), workspace);
    }
}
