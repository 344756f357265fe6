package dev.remora.models.deepseek;

import dev.remora.core.CheckpointException;
import dev.remora.core.RopeScaling;
import dev.remora.core.json.JsonObject;

/**
 * The rotary part of config.json, in both of its forms: {@code rope_theta} with {@code rope_scaling}, and {@code
 * rope_parameters}, which holds both.
 */
record RopeConfig(double theta, RopeScaling scaling) {
    private static final double DEFAULT_THETA = 10_000;

    static RopeConfig parse(JsonObject c, int maxPositionEmbeddings) {
        JsonObject parameters = c.has("rope_parameters") ? c.object("rope_parameters") : null;
        double theta = parameters != null && parameters.has("rope_theta")
                ? DeepSeekConfig.positive(parameters, "rope_theta", DEFAULT_THETA)
                : DeepSeekConfig.positive(c, "rope_theta", DEFAULT_THETA);
        if (parameters == null && c.has("rope_scaling")) {
            parameters = c.object("rope_scaling");
        }
        RopeScaling scaling = parameters == null ? new RopeScaling.None() : scaling(parameters, maxPositionEmbeddings);
        if (scaling instanceof RopeScaling.Yarn && theta <= 1) {
            throw new CheckpointException(c.source()
                    + ": rope_theta: expected more than 1, because YaRN divides by its logarithm, found " + theta);
        }
        return new RopeConfig(theta, scaling);
    }

    private static RopeScaling scaling(JsonObject p, int maxPositionEmbeddings) {
        String type = p.string("rope_type", p.string("type", "default"));
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "yarn" -> yarn(p, maxPositionEmbeddings);
            default -> throw DeepSeekConfig.unsupported(p, "rope_type", "\"" + type + "\"", "\"default\" and \"yarn\"");
        };
    }

    private static RopeScaling yarn(JsonObject p, int maxPositionEmbeddings) {
        if (!p.bool("truncate", true)) {
            throw DeepSeekConfig.unsupported(p, "truncate", "false", "true");
        }
        if (p.has("attention_factor")) {
            throw DeepSeekConfig.unsupported(
                    p, "attention_factor", p.get("attention_factor").toString(), "mscale and mscale_all_dim only");
        }
        String original = "original_max_position_embeddings";
        return new RopeScaling.Yarn(
                DeepSeekConfig.positive(p, "factor"),
                p.has(original) ? DeepSeekConfig.size(p, original, Integer.MAX_VALUE) : maxPositionEmbeddings,
                DeepSeekConfig.positive(p, "beta_fast", 32),
                DeepSeekConfig.positive(p, "beta_slow", 1),
                p.number("mscale", 1),
                p.number("mscale_all_dim", 0));
    }
}
