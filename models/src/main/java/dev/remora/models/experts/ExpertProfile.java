package dev.remora.models.experts;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How often a router chose each expert:
 *
 * <pre>{@code
 * {"model": "DeepSeek-V2-Lite", "layers": {"1": [12, 0, 7, ...], "2": [...]}}
 * }</pre>
 *
 * <p>One count for each routed expert of a layer; layers that are missing count nothing.
 */
public final class ExpertProfile {
    private final String name;
    private final Map<Integer, long[]> counts = new TreeMap<>();

    private ExpertProfile(String name) {
        this.name = name;
    }

    /**
     * Reads a file.
     *
     * @throws CheckpointException if it cannot be read, or is no profile
     */
    public static ExpertProfile read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new CheckpointException(
                    file + ": the expert profile cannot be read: " + e + ". remora experts --profile writes one", e);
        }
        return parse(Json.object(bytes, file.toString()), file.toString());
    }

    static ExpertProfile parse(JsonObject json, String name) {
        ExpertProfile profile = new ExpertProfile(name);
        JsonObject layers = json.object("layers");
        for (String layer : layers.keys()) {
            profile.counts.put(profile.layer(layer), profile.numbers(layer, layers.array(layer)));
        }
        return profile;
    }

    private int layer(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new CheckpointException(
                    name + ": layers: expected indices of layers as keys, found \"" + text + "\"", e);
        }
    }

    private long[] numbers(String layer, List<Object> values) {
        long[] numbers = new long[values.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(values.get(i) instanceof Long number) || number < 0) {
                throw new CheckpointException(name + ": layers." + layer + ": expected counts of 0 or more, found "
                        + values.get(i) + " for expert " + i);
            }
            numbers[i] = number;
        }
        return numbers;
    }

    /** @throws CheckpointException if it was made for a model of another shape */
    void check(List<List<StoredExpert>> layers) {
        counts.forEach((layer, numbers) -> {
            int expected =
                    layer >= 0 && layer < layers.size() ? layers.get(layer).size() : 0;
            if (numbers.length != expected) {
                throw new CheckpointException(name + ": layers." + layer + ": expected counts of " + expected
                        + " routed experts, found " + numbers.length + "; was the profile made for this model?");
            }
        });
    }

    long count(int layer, int expert) {
        long[] numbers = counts.get(layer);
        return numbers == null ? 0 : numbers[expert];
    }

    /** Of the choices in its layer. */
    double share(int layer, int expert) {
        long sum = 0;
        for (long number : counts.getOrDefault(layer, new long[0])) {
            sum += number;
        }
        return sum == 0 ? 0 : (double) count(layer, expert) / sum;
    }
}
