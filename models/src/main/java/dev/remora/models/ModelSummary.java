package dev.remora.models;

import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.core.RopeScaling;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.json.JsonObject;
import dev.remora.models.ModelInfo.PrecisionRow;
import dev.remora.models.ModelInfo.SpecialIds;
import dev.remora.models.ModelInfo.TensorInfo;
import dev.remora.models.deepseek.DeepSeekAssembler;
import dev.remora.models.deepseek.DeepSeekConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Counts what a checkpoint holds, for {@link ModelInfo}. */
final class ModelSummary {
    private static final String SCALES = "_scale_inv";
    private static final String EXPERTS = ".mlp.experts.";

    private final DeepSeekConfig config;
    private final JsonObject json;
    private final Checkpoint checkpoint;
    private final Set<String> unused;

    ModelSummary(DeepSeekConfig config, JsonObject json, Checkpoint checkpoint, DeepSeekAssembler assembler) {
        this.config = config;
        this.json = json;
        this.checkpoint = checkpoint;
        this.unused = assembler.unused();
    }

    ModelInfo info(int contextLength, LoadOptions options, GenerationConfig generation) {
        CacheFormat cacheFormat = options.cacheFormat();
        long total = 0;
        double active = 0;
        double activeBytes = 0;
        List<TensorInfo> tensors = new ArrayList<>();
        for (Tensor tensor : checkpoint.tensors()) {
            List<Long> shape = Arrays.stream(tensor.shape()).boxed().toList();
            tensors.add(new TensorInfo(
                    tensor.name(), tensor.dtype().name(), shape, tensor.data().byteSize(), tensor.file()));
            if (unused.contains(tensor.name())) {
                continue;
            }
            double share = activeShare(tensor.name());
            activeBytes += share * tensor.data().byteSize();
            if (!tensor.name().endsWith(SCALES)) {
                total += tensor.elements();
                active += share * tensor.elements();
            }
        }
        tensors.sort(Comparator.comparing(TensorInfo::name));
        return new ModelInfo(
                checkpoint.source().describe(),
                architecture(),
                config.modelType(),
                dimensions(),
                config.vocabSize(),
                config.maxPositionEmbeddings(),
                contextLength,
                total,
                Math.round(active),
                Math.round(activeBytes),
                cacheFormat,
                (long) config.numHiddenLayers() * config.mla().cacheWidth() * cacheFormat.bytes(),
                precision(cacheFormat, options.activations()),
                tensors,
                new SpecialIds(generation.bos(), generation.eos(), generation.pad()));
    }

    /** Of an expert, the chance to be chosen; of the embedding one row, unless it is the head too; of the rest all. */
    private double activeShare(String name) {
        if (name.contains(EXPERTS)) {
            return config.moe()
                    .map(moe -> moe.numExpertsPerTok() / (double) moe.nRoutedExperts())
                    .orElse(1.0);
        }
        return name.endsWith("embed_tokens.weight") && !config.tieWordEmbeddings() ? 1.0 / config.vocabSize() : 1;
    }

    private String architecture() {
        return json.has("architectures") && !json.array("architectures").isEmpty()
                ? String.valueOf(json.array("architectures").getFirst())
                : "";
    }

    private Map<String, Object> dimensions() {
        Map<String, Object> d = new LinkedHashMap<>();
        d.put("vocab_size", config.vocabSize());
        d.put("hidden_size", config.hiddenSize());
        d.put("num_hidden_layers", config.numHiddenLayers());
        d.put("intermediate_size", config.intermediateSize());
        d.put("num_attention_heads", config.mla().numAttentionHeads());
        d.put(
                "q_lora_rank",
                config.mla().qLoraRank() == 0 ? "none" : config.mla().qLoraRank());
        d.put("kv_lora_rank", config.mla().kvLoraRank());
        d.put("qk_nope_head_dim", config.mla().qkNopeHeadDim());
        d.put("qk_rope_head_dim", config.mla().qkRopeHeadDim());
        d.put("v_head_dim", config.mla().vHeadDim());
        config.moe().ifPresent(moe -> {
            d.put("moe_layers", config.sparse().stream().filter(s -> s).count());
            d.put("moe_intermediate_size", moe.moeIntermediateSize());
            d.put("n_routed_experts", moe.nRoutedExperts());
            d.put("n_shared_experts", moe.nSharedExperts());
            d.put("num_experts_per_tok", moe.numExpertsPerTok());
            d.put("n_group", moe.nGroup());
            d.put("topk_group", moe.topkGroup());
            d.put("scoring_func", moe.scoringFunc().name().toLowerCase(Locale.ROOT));
            d.put("topk_method", moe.topkMethod().name().toLowerCase(Locale.ROOT));
            d.put("norm_topk_prob", moe.normTopkProb());
            d.put("routed_scaling_factor", moe.routedScalingFactor());
        });
        d.put("rope_theta", config.ropeTheta());
        d.put(
                "rope_scaling",
                switch (config.ropeScaling()) {
                    case RopeScaling.None none -> "none";
                    case RopeScaling.Yarn yarn -> "yarn, factor " + yarn.factor();
                });
        d.put("num_nextn_predict_layers", config.nextnLayers());
        return d;
    }

    private List<PrecisionRow> precision(CacheFormat cacheFormat, Activations activations) {
        List<PrecisionRow> rows = new ArrayList<>();
        add(rows, "attention matrices", name -> name.contains(".self_attn.") && name.contains("_proj"));
        add(rows, "feed-forward and expert matrices", name -> name.contains(".mlp.") && name.contains("_proj"));
        add(rows, "router gate", name -> name.endsWith(".mlp.gate.weight"));
        add(rows, "router bias", name -> name.endsWith("e_score_correction_bias"));
        add(rows, "norms", name -> name.endsWith("norm.weight"));
        add(rows, "embedding", name -> name.endsWith("embed_tokens.weight"));
        add(rows, "head", name -> name.endsWith("lm_head.weight"));
        rows.add(new PrecisionRow("latent cache", cacheFormat.name(), "F32"));
        if (activations == Activations.FP8) {
            rows.add(new PrecisionRow("inputs of F8_E4M3 matrices", "rounded to F8_E4M3, one scale for 128", "F32"));
        }
        rows.add(new PrecisionRow("activations, residual stream, softmax, router", "-", "F32"));
        return rows;
    }

    private void add(List<PrecisionRow> rows, String what, Predicate<String> which) {
        Set<String> stored = new TreeSet<>();
        boolean scaled = false;
        for (Tensor tensor : checkpoint.tensors()) {
            if (which.test(tensor.name()) && !unused.contains(tensor.name())) {
                if (tensor.name().endsWith(SCALES)) {
                    scaled = true;
                } else {
                    stored.add(tensor.dtype().name());
                }
            }
        }
        if (!stored.isEmpty()) {
            String scales = scaled && config.blockSize() != null
                    ? ", one scale for " + config.blockSize().rows() + "x"
                            + config.blockSize().cols()
                    : "";
            rows.add(new PrecisionRow(what, String.join(", ", stored) + scales, "F32"));
        }
    }
}
