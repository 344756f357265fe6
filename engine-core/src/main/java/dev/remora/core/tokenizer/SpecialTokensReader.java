package dev.remora.core.tokenizer;

import dev.remora.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Finds the tokens that begin, end and pad a sequence. */
final class SpecialTokensReader {
    private SpecialTokensReader() {}

    /**
     * Reads both places.
     *
     * @param config tokenizer_config.json, or null
     * @param postProcessor of tokenizer.json, or null
     */
    static SpecialTokens read(Vocabulary vocabulary, JsonObject config, JsonObject postProcessor) {
        List<JsonObject> template = template(postProcessor);
        OptionalInt bos = named(vocabulary, config, "bos_token");
        OptionalInt eos = named(vocabulary, config, "eos_token");
        OptionalInt templateBos = template.isEmpty() ? OptionalInt.empty() : special(vocabulary, template.getFirst());
        OptionalInt templateEos = template.size() < 2 ? OptionalInt.empty() : special(vocabulary, template.getLast());
        bos = bos.isPresent() ? bos : templateBos;
        eos = eos.isPresent() ? eos : templateEos;
        return new SpecialTokens(
                bos,
                eos,
                named(vocabulary, config, "pad_token"),
                bos.isPresent() && flag(config, "add_bos_token", templateBos.isPresent()),
                eos.isPresent() && flag(config, "add_eos_token", templateEos.isPresent()));
    }

    private static boolean flag(JsonObject config, String key, boolean fallback) {
        return config == null ? fallback : config.bool(key, fallback);
    }

    /** A token of the config, which is a string or an object with {@code content}. */
    private static OptionalInt named(Vocabulary vocabulary, JsonObject config, String key) {
        if (config == null || !config.has(key)) {
            return OptionalInt.empty();
        }
        String token = config.get(key) instanceof Map ? config.object(key).string("content") : config.string(key);
        return id(vocabulary, token);
    }

    private static List<JsonObject> template(JsonObject postProcessor) {
        if (postProcessor == null) {
            return List.of();
        }
        return switch (postProcessor.string("type", "")) {
            case "TemplateProcessing" -> TokenizerJson.objects(postProcessor, "single");
            case "Sequence" ->
                TokenizerJson.objects(postProcessor, "processors").stream()
                        .map(SpecialTokensReader::template)
                        .filter(template -> !template.isEmpty())
                        .findFirst()
                        .orElse(List.of());
            default -> List.of();
        };
    }

    private static OptionalInt special(Vocabulary vocabulary, JsonObject part) {
        return part.has("SpecialToken")
                ? id(vocabulary, part.object("SpecialToken").string("id"))
                : OptionalInt.empty();
    }

    private static OptionalInt id(Vocabulary vocabulary, String token) {
        int id = vocabulary.id(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
