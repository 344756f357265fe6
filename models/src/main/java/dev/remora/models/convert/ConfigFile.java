package dev.remora.models.convert;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.json.JsonWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** config.json of the new checkpoint. */
final class ConfigFile {
    private static final String QUANTIZATION = "quantization_config";
    private static final String TEXT = "text_config";
    private static final List<String> DTYPES = List.of("torch_dtype", "dtype");

    private ConfigFile() {}

    /**
     * The old file with another format of matrices: what says that they are FP8 comes or goes, and what says in which type
     * the others are follows.
     */
    static byte[] converted(byte[] old, String where, WeightFormat format) {
        JsonObject parsed = Json.object(old, where);
        Map<String, Object> root = copy(parsed);
        Map<String, Object> text = parsed.has(TEXT) ? copy(parsed.object(TEXT)) : root;
        root.remove(QUANTIZATION);
        text.remove(QUANTIZATION);
        if (format == WeightFormat.FP8) {
            text.put(QUANTIZATION, quantization());
        } else {
            for (String dtype : DTYPES) {
                root.replace(dtype, "bfloat16");
                text.replace(dtype, "bfloat16");
            }
        }
        if (parsed.has(TEXT)) {
            root.put(TEXT, text);
        }
        return (JsonWriter.indented(root) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** As DeepSeek-V3 publishes it. */
    private static Map<String, Object> quantization() {
        Map<String, Object> quantization = new LinkedHashMap<>();
        quantization.put("activation_scheme", "dynamic");
        quantization.put("fmt", "e4m3");
        quantization.put("quant_method", "fp8");
        quantization.put("weight_block_size", List.of(128, 128));
        return quantization;
    }

    private static Map<String, Object> copy(JsonObject object) {
        Map<String, Object> copy = new LinkedHashMap<>();
        object.keys().forEach(key -> copy.put(key, object.get(key)));
        return copy;
    }
}
