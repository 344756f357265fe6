package dev.remora.models;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.JsonObject;
import dev.remora.core.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What the files of a checkpoint say about generation. As in Hugging Face's {@code GenerationConfig}: without
 * {@code do_sample} the most probable token is taken. A key that is missing is off; the library's own default of
 * {@code top_k}, 50, is not used, since the models are published and served without it.
 *
 * @param eos ids that end an answer
 * @param sampling how tokens are chosen unless the caller says otherwise
 */
record GenerationConfig(OptionalInt bos, List<Integer> eos, OptionalInt pad, SamplingParams sampling) {

    /**
     * Reads both files.
     *
     * @param generation generation_config.json, or null if there is none
     * @param config config.json, which is asked for special ids that the former lacks
     * @throws CheckpointException if a value has the wrong type or is out of range
     */
    static GenerationConfig of(JsonObject generation, JsonObject config) {
        return new GenerationConfig(
                id(generation, config, "bos_token_id"),
                ids(generation, config, "eos_token_id"),
                id(generation, config, "pad_token_id"),
                generation == null ? SamplingParams.greedy() : sampling(generation));
    }

    private static SamplingParams sampling(JsonObject file) {
        try {
            return new SamplingParams(
                    file.bool("do_sample", false) ? (float) file.number("temperature", 1) : 0,
                    // Some files write -1 for "off".
                    Math.max(0, file.integer("top_k", 0)),
                    (float) file.number("top_p", 1),
                    (float) file.number("min_p", 0),
                    (float) file.number("repetition_penalty", 1),
                    0,
                    0,
                    Map.of(),
                    SamplingParams.RANDOM_SEED);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file.source() + ": " + e.getMessage(), e);
        }
    }

    private static OptionalInt id(JsonObject generation, JsonObject config, String key) {
        List<Integer> ids = ids(generation, config, key);
        return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.get(0));
    }

    private static List<Integer> ids(JsonObject generation, JsonObject config, String key) {
        JsonObject file = generation != null && generation.has(key) ? generation : config;
        if (!file.has(key)) {
            return List.of();
        }
        List<?> values = file.get(key) instanceof List<?> list ? list : List.of(file.get(key));
        List<Integer> ids = new ArrayList<>();
        for (Object value : values) {
            if (!(value instanceof Long id) || id < 0 || id > Integer.MAX_VALUE) {
                throw new CheckpointException(
                        file.source() + ": " + key + ": expected a token id or a list of them, found " + value);
            }
            ids.add(id.intValue());
        }
        return List.copyOf(ids);
    }
}
