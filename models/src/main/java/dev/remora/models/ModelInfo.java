package dev.remora.models;

import dev.remora.core.CacheFormat;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What a loaded model is, as {@code inspect} shows it.
 *
 * @param source folder or resource that it came from
 * @param architecture the class that config.json names, or the empty string
 * @param modelType {@code model_type} of config.json
 * @param dimensions numbers and choices that shape the model, by their names in config.json, in reading order
 * @param vocabSize rows of the embedding and logits per position
 * @param maxContextLength tokens that the model was made for: {@code max_position_embeddings}
 * @param contextLength tokens that a session holds unless it asks for another number
 * @param totalParameters numbers in the tensors that the forward pass may use, block scales not counted
 * @param activeParameters of them, those that one token meets
 * @param bytesPerToken bytes of weights read to decode one token alone
 * @param cacheFormat how the latent cache is stored
 * @param cacheBytesPerToken bytes of cache per token, all layers
 * @param precision what is stored in which numbers and computed in which
 * @param tensors all tensors of the checkpoint, in the order of their names
 * @param specialIds ids with a meaning of their own
 */
public record ModelInfo(
        String source,
        String architecture,
        String modelType,
        Map<String, Object> dimensions,
        int vocabSize,
        int maxContextLength,
        int contextLength,
        long totalParameters,
        long activeParameters,
        long bytesPerToken,
        CacheFormat cacheFormat,
        long cacheBytesPerToken,
        List<PrecisionRow> precision,
        List<TensorInfo> tensors,
        SpecialIds specialIds) {

    public ModelInfo {
        // Not Map.copyOf: the order of the keys is for people.
        dimensions = Collections.unmodifiableMap(new LinkedHashMap<>(dimensions));
        precision = List.copyOf(precision);
        tensors = List.copyOf(tensors);
    }

    /**
     * One row of the precision table.
     *
     * @param what for example {@code latent cache}
     * @param stored for example {@code BF16}
     * @param computedIn for example {@code f32}
     */
    public record PrecisionRow(String what, String stored, String computedIn) {}

    /**
     * One tensor of the checkpoint.
     *
     * @param dtype as the file names it, for example {@code F8_E4M3}
     * @param bytes in the file
     * @param file that holds it
     */
    public record TensorInfo(String name, String dtype, List<Long> shape, long bytes, String file) {
        public TensorInfo {
            shape = List.copyOf(shape);
        }
    }

    /**
     * Ids with a meaning of their own.
     *
     * @param bos begins a text, if the model knows such an id
     * @param eos each of them ends an answer
     * @param pad fills batches in training, if the model knows such an id
     */
    public record SpecialIds(OptionalInt bos, List<Integer> eos, OptionalInt pad) {
        public SpecialIds {
            eos = List.copyOf(eos);
        }
    }
}
