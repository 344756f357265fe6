package dev.remora.models.deepseek;

import dev.remora.core.CheckpointException;
import dev.remora.core.RopeScaling;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.JsonObject;
import dev.remora.mla.MlaConfig;
import dev.remora.models.weights.WeightReaders.BlockSize;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.ScoringFunc;
import dev.remora.moe.TopkMethod;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * config.json of the family, validated and with every default filled in; the names are its keys.
 *
 * @param modelType    of the language model, where config.json nests it in text_config
 * @param nested       true if config.json describes more than the language model
 * @param sparse       for each layer whether it is a mixture of experts
 * @param moe          empty: all layers are dense
 * @param blockSize    of FP8 tensors; null: none
 * @param nextnLayers  extra prediction layers, which follow the others and are not part of the forward pass
 */
public record DeepSeekConfig(
        String modelType,
        boolean nested,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int maxPositionEmbeddings,
        double rmsNormEps,
        boolean tieWordEmbeddings,
        boolean attentionBias,
        double ropeTheta,
        RopeScaling ropeScaling,
        MlaConfig mla,
        Optional<MoeConfig> moe,
        List<Boolean> sparse,
        BlockSize blockSize,
        int nextnLayers) {
    /** Values of {@code model_type} that this class reads. */
    public static final List<String> MODEL_TYPES = List.of("deepseek_v2", "deepseek_v3", "kimi_k2");

    // Far above every released model, and small enough that products of two stay in range.
    private static final int MAX_WIDTH = 1 << 20;
    private static final int MAX_VOCABULARY = 1 << 24;
    private static final int MAX_LAYERS = 4096;

    /**
     * Reads a parsed config.json.
     *
     * @throws CheckpointException       if a key is missing, ill-typed, out of range or contradicts another
     * @throws UnsupportedModelException if the model is not of this family, or uses what is not implemented
     */
    public static DeepSeekConfig parse(JsonObject root) {
        boolean nested = root.has("text_config");
        JsonObject c = nested ? root.object("text_config") : root;
        String modelType = modelType(root, c);
        if (!c.string("hidden_act", "silu").equals("silu")) {
            throw unsupported(c, "hidden_act", c.string("hidden_act"), "silu");
        }
        if (!c.bool("rope_interleave", true)) {
            throw unsupported(c, "rope_interleave", "false", "true, as all released checkpoints of the family");
        }
        int hiddenSize = size(c, "hidden_size", MAX_WIDTH);
        int layers = size(c, "num_hidden_layers", MAX_LAYERS);
        int maxPositions = size(c, "max_position_embeddings", Integer.MAX_VALUE);
        RopeConfig rope = RopeConfig.parse(c, maxPositions);
        Optional<MoeConfig> moe = moe(c, modelType, hiddenSize);
        DeepSeekConfig config = new DeepSeekConfig(
                modelType,
                nested,
                size(c, "vocab_size", MAX_VOCABULARY),
                hiddenSize,
                size(c, "intermediate_size", MAX_WIDTH),
                layers,
                maxPositions,
                positive(c, "rms_norm_eps", 1e-6),
                c.bool("tie_word_embeddings", root.bool("tie_word_embeddings", false)),
                c.bool("attention_bias", false),
                rope.theta(),
                rope.scaling(),
                mla(c, hiddenSize, rope.scaling()),
                moe,
                sparseLayers(c, layers, moe.isPresent()),
                blockSize(c.has("quantization_config") ? c : root),
                c.has("num_nextn_predict_layers") ? natural(c, "num_nextn_predict_layers", MAX_LAYERS) : 0);
        if (moe.isPresent() && config.sparse.stream().noneMatch(s -> s) && layers > 0) {
            // Every layer is dense; the experts' keys have no tensors.
            return config.withoutExperts();
        }
        return config;
    }

    private DeepSeekConfig withoutExperts() {
        return new DeepSeekConfig(
                modelType,
                nested,
                vocabSize,
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                maxPositionEmbeddings,
                rmsNormEps,
                tieWordEmbeddings,
                attentionBias,
                ropeTheta,
                ropeScaling,
                mla,
                Optional.empty(),
                sparse,
                blockSize,
                nextnLayers);
    }

    private static String modelType(JsonObject root, JsonObject c) {
        String modelType = c.string("model_type");
        if (!MODEL_TYPES.contains(modelType)) {
            String outer =
                    c == root ? "" : " in text_config of " + root.string("model_type", "a model without model_type");
            throw new UnsupportedModelException(root.source() + ": model_type: expected one of "
                    + String.join(", ", MODEL_TYPES) + ", found \"" + modelType + "\"" + outer);
        }
        return modelType;
    }

    private static MlaConfig mla(JsonObject c, int hiddenSize, RopeScaling scaling) {
        int heads = size(c, "num_attention_heads", MAX_WIDTH);
        int nope = size(c, "qk_nope_head_dim", MAX_WIDTH);
        int rope = size(c, "qk_rope_head_dim", MAX_WIDTH);
        int v = size(c, "v_head_dim", MAX_WIDTH);
        int rank = size(c, "kv_lora_rank", MAX_WIDTH);
        if (rope % 2 != 0) {
            throw new CheckpointException(c.source()
                    + ": qk_rope_head_dim: expected an even number, because pairs are rotated, found " + rope);
        }
        long widest = (long) heads * Math.max((long) nope + rope, Math.max((long) nope + v, rank));
        if (widest > 1 << 22) {
            throw new CheckpointException(c.source() + ": num_attention_heads " + heads + " times the dimensions of a"
                    + " head gives " + widest + " values a token, more than the " + (1 << 22) + " that are supported");
        }
        float scale = (float) (scaling.softmaxFactor() / Math.sqrt(nope + rope));
        int qRank = c.has("q_lora_rank") ? size(c, "q_lora_rank", MAX_WIDTH) : 0;
        return new MlaConfig(hiddenSize, heads, qRank, rank, nope, rope, v, scale);
    }

    private static Optional<MoeConfig> moe(JsonObject c, String modelType, int hiddenSize) {
        if (!c.has("n_routed_experts")) {
            return Optional.empty();
        }
        boolean v2 = modelType.equals("deepseek_v2");
        try {
            return Optional.of(new MoeConfig(
                    hiddenSize,
                    size(c, "moe_intermediate_size", MAX_WIDTH),
                    size(c, "n_routed_experts", MAX_WIDTH),
                    c.has("n_shared_experts") ? natural(c, "n_shared_experts", MAX_WIDTH) : 0,
                    size(c, "num_experts_per_tok", MAX_WIDTH),
                    c.has("n_group") ? size(c, "n_group", MAX_WIDTH) : 1,
                    c.has("topk_group") ? size(c, "topk_group", MAX_WIDTH) : 1,
                    choice(c, "scoring_func", ScoringFunc.class, v2 ? "softmax" : "sigmoid"),
                    choice(c, "topk_method", TopkMethod.class, v2 ? "greedy" : "noaux_tc"),
                    c.bool("norm_topk_prob", !v2),
                    c.number("routed_scaling_factor", 1)));
        } catch (CheckpointException e) {
            throw e.getMessage().startsWith(c.source())
                    ? e
                    : new CheckpointException(c.source() + ": " + e.getMessage(), e);
        } catch (UnsupportedModelException e) {
            throw e.getMessage().startsWith(c.source())
                    ? e
                    : new UnsupportedModelException(c.source() + ": " + e.getMessage(), e);
        }
    }

    private static <E extends Enum<E>> E choice(JsonObject c, String key, Class<E> type, String fallback) {
        String name = c.string(key, fallback);
        for (E value : type.getEnumConstants()) {
            if (value.name().equals(name.toUpperCase(Locale.ROOT))) {
                return value;
            }
        }
        StringBuilder expected = new StringBuilder();
        for (E value : type.getEnumConstants()) {
            expected.append(expected.isEmpty() ? "" : ", ").append(value.name().toLowerCase(Locale.ROOT));
        }
        throw unsupported(c, key, "\"" + name + "\"", "one of " + expected);
    }

    /** A layer is dense before first_k_dense_replace, and where moe_layer_freq skips it; newer configs list the types. */
    private static List<Boolean> sparseLayers(JsonObject c, int layers, boolean experts) {
        Boolean[] sparse = new Boolean[layers];
        if (c.has("mlp_layer_types")) {
            List<Object> types = c.array("mlp_layer_types");
            if (types.size() != layers) {
                throw new CheckpointException(c.source() + ": mlp_layer_types: expected num_hidden_layers = " + layers
                        + " entries, found " + types.size());
            }
            for (int layer = 0; layer < layers; layer++) {
                Object type = types.get(layer);
                if (!"sparse".equals(type) && !"dense".equals(type)) {
                    throw unsupported(c, "mlp_layer_types", String.valueOf(type), "\"dense\" or \"sparse\"");
                }
                sparse[layer] = "sparse".equals(type);
            }
        } else {
            int firstSparse =
                    c.has("first_k_dense_replace") ? natural(c, "first_k_dense_replace", Integer.MAX_VALUE) : 0;
            int frequency = c.has("moe_layer_freq") ? size(c, "moe_layer_freq", Integer.MAX_VALUE) : 1;
            for (int layer = 0; layer < layers; layer++) {
                sparse[layer] = experts && layer >= firstSparse && layer % frequency == 0;
            }
        }
        if (!experts && List.of(sparse).contains(true)) {
            throw new CheckpointException(
                    c.source() + ": mlp_layer_types asks for experts, but n_routed_experts is missing");
        }
        return List.of(sparse);
    }

    private static BlockSize blockSize(JsonObject c) {
        if (!c.has("quantization_config")) {
            return null;
        }
        JsonObject q = c.object("quantization_config");
        String method = q.string("quant_method");
        if (!method.equals("fp8") || !q.string("fmt", "e4m3").equals("e4m3")) {
            throw unsupported(
                    q,
                    "quant_method",
                    "\"" + method + "\" (" + q.string("fmt", "e4m3") + ")",
                    "\"fp8\" with fmt \"e4m3\"");
        }
        List<Object> block = q.array("weight_block_size");
        if (block.size() != 2
                || !(block.get(0) instanceof Long rows && rows > 0 && rows <= MAX_WIDTH)
                || !(block.get(1) instanceof Long cols && cols > 0 && cols <= MAX_WIDTH)) {
            throw new CheckpointException(q.source()
                    + ": weight_block_size: expected two positive numbers, for example [128, 128], found " + block);
        }
        return new BlockSize(((Long) block.get(0)).intValue(), ((Long) block.get(1)).intValue());
    }

    static int size(JsonObject c, String key, int max) {
        return inRange(c, key, 1, max);
    }

    private static int natural(JsonObject c, String key, int max) {
        return inRange(c, key, 0, max);
    }

    private static int inRange(JsonObject c, String key, int min, int max) {
        int value = c.integer(key);
        if (value < min || value > max) {
            throw new CheckpointException(
                    c.source() + ": " + key + ": expected a number from " + min + " to " + max + ", found " + value);
        }
        return value;
    }

    static double positive(JsonObject c, String key, double fallback) {
        return c.has(key) ? positive(c, key) : fallback;
    }

    static double positive(JsonObject c, String key) {
        double value = c.number(key);
        if (!(value > 0)) {
            throw new CheckpointException(c.source() + ": " + key + ": expected a positive number, found " + value);
        }
        return value;
    }

    static UnsupportedModelException unsupported(JsonObject c, String key, String found, String expected) {
        return new UnsupportedModelException(
                c.source() + ": " + key + ": this version supports " + expected + ", found " + found);
    }
}
