package dev.remora.models.synthetic;

import dev.remora.core.RemoraException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.json.JsonWriter;
import dev.remora.models.deepseek.DeepSeekConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which model, and how much of it.
 *
 * @param model     the name of the released model
 * @param published its config.json, as published
 * @param layers    of {@code num_hidden_layers}
 * @param experts   of {@code n_routed_experts}
 * @param precision of its matrices
 */
record Specification(String model, JsonObject published, int layers, int experts, Precision precision) {
    private static final String LAYERS = "num_hidden_layers";
    private static final String EXPERTS = "n_routed_experts";
    private static final String QUANTIZATION = "quantization_config";
    private static final Map<String, Object> FP8 = Map.of(
            "quant_method",
            "fp8",
            "fmt",
            "e4m3",
            "activation_scheme",
            "dynamic",
            "weight_block_size",
            List.of(128L, 128L));

    /** The released models, and how many layers are made unless more are asked for; 0: all. */
    private static final Map<String, Integer> MODELS = models();

    /** How matrices are stored; the names are the options'. */
    enum Precision {
        FP8("float8_e4m3fn"),
        BF16("bfloat16"),
        F32("float32");

        private final String torchDtype;

        Precision(String torchDtype) {
            this.torchDtype = torchDtype;
        }

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static Map<String, Integer> models() {
        Map<String, Integer> models = new LinkedHashMap<>();
        models.put("deepseek-v2-lite", 0);
        models.put("moonlight", 0);
        models.put("glm-4.7-flash", 0);
        // Three dense layers and one with experts: 17 GB.
        models.put("deepseek-v3", 4);
        return models;
    }

    static List<String> names() {
        return List.copyOf(MODELS.keySet());
    }

    static Specification parse(String text) {
        String[] parts = text.strip().split(",", -1);
        String model = parts[0].strip().toLowerCase(Locale.ROOT);
        if (!MODELS.containsKey(model)) {
            throw wrong(text, "there is no model \"" + parts[0] + "\"");
        }
        Specification all = of(model, published(model));
        int few = MODELS.get(model);
        return (few == 0 ? all : all.with(few, all.experts, all.precision)).with(text, parts);
    }

    /** All of a model. */
    static Specification of(String model, JsonObject published) {
        return new Specification(
                model,
                published,
                published.integer(LAYERS),
                published.integer(EXPERTS),
                published.has(QUANTIZATION) ? Precision.FP8 : Precision.BF16);
    }

    private Specification with(String text, String[] parts) {
        Specification made = this;
        Set<String> seen = new HashSet<>();
        for (String part : Arrays.asList(parts).subList(1, parts.length)) {
            String[] option = part.strip().toLowerCase(Locale.ROOT).split("=", -1);
            if (option.length != 2 || !seen.add(option[0])) {
                throw wrong(text, "\"" + part + "\" is no option, or stands there twice");
            }
            made = switch (option[0]) {
                case "layers" ->
                    made.with(count(text, option, published.integer(LAYERS)), made.experts, made.precision);
                case "experts" ->
                    made.with(made.layers, count(text, option, published.integer(EXPERTS)), made.precision);
                case "dtype" -> made.with(made.layers, made.experts, precision(text, option[1]));
                default -> throw wrong(text, "there is no option \"" + option[0] + "\"");
            };
        }
        try {
            made.config();
        } catch (RemoraException e) {
            throw wrong(text, e.getMessage());
        }
        return made;
    }

    Specification with(int newLayers, int newExperts, Precision newPrecision) {
        return new Specification(model, published, newLayers, newExperts, newPrecision);
    }

    private static int count(String text, String[] option, int most) {
        try {
            int value = Integer.parseInt(option[1]);
            if (value >= 1 && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below, like a number out of range.
        }
        throw wrong(text, option[0] + ": expected a number from 1 to " + most + ", found \"" + option[1] + "\"");
    }

    private static Precision precision(String text, String name) {
        for (Precision precision : Precision.values()) {
            if (precision.option().equals(name)) {
                return precision;
            }
        }
        throw wrong(text, "dtype: expected fp8, bf16 or f32, found \"" + name + "\"");
    }

    private static IllegalArgumentException wrong(String text, String why) {
        return new IllegalArgumentException("synthetic model \"" + text + "\": " + why
                + ". Expected one of " + String.join(", ", names())
                + ", and if you like layers=N, experts=N and dtype=fp8|bf16|f32, all with commas between them, for example"
                + " deepseek-v2-lite,experts=16,dtype=fp8");
    }

    private static JsonObject published(String model) {
        String file = model + ".json";
        try (InputStream in = Specification.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("no resource " + file + " beside " + Specification.class);
            }
            return Json.object(in.readAllBytes(), file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String name() {
        return model + ",layers=" + layers + ",experts=" + experts + ",dtype=" + precision.option();
    }

    String description() {
        return "the geometry of " + model + " with " + layers + " of its " + published.integer(LAYERS) + " layers and "
                + experts + " of its " + published.integer(EXPERTS) + " experts, random " + precision + " weights";
    }

    /** The config.json of what is made. */
    byte[] configJson() {
        Map<String, Object> config = published.keys().stream()
                .collect(LinkedHashMap::new, (m, k) -> m.put(k, published.get(k)), Map::putAll);
        config.put(LAYERS, layers);
        config.put(EXPERTS, experts);
        config.remove(QUANTIZATION);
        config.put("torch_dtype", (precision == Precision.F32 ? Precision.F32 : Precision.BF16).torchDtype);
        if (precision == Precision.FP8) {
            config.put(QUANTIZATION, FP8);
        }
        return JsonWriter.write(config).getBytes(StandardCharsets.UTF_8);
    }

    byte[] generationConfigJson() {
        Map<String, Object> generation = new LinkedHashMap<>();
        generation.put("bos_token_id", published.get("bos_token_id"));
        generation.put("eos_token_id", published.get("eos_token_id"));
        return JsonWriter.write(generation).getBytes(StandardCharsets.UTF_8);
    }

    OptionalInt bos() {
        return published.has("bos_token_id") ? OptionalInt.of(published.integer("bos_token_id")) : OptionalInt.empty();
    }

    List<Integer> eos() {
        return published.get("eos_token_id") instanceof List<?> ids
                ? ids.stream().map(id -> ((Long) id).intValue()).toList()
                : List.of(published.integer("eos_token_id"));
    }

    DeepSeekConfig config() {
        return DeepSeekConfig.parse(Json.object(configJson(), "config.json"));
    }
}
