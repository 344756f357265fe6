package dev.remora.models.synthetic;

import dev.remora.core.json.JsonWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The files of a byte-level tokenizer with the vocabulary's true size: the 256 bytes, special tokens at the ids of the
 * released model, and fillers that no text is encoded to but that decode to readable words. Not the released tokenizer: a
 * text has as many tokens as bytes.
 */
final class SyntheticTokenizer {
    private static final int BYTES = 256;
    /** How ByteLevel writes a space. */
    private static final char SPACE = '\u0120';

    private final int size;
    private final Map<Integer, String> special = new TreeMap<>();
    private final String bos;
    private final String eos;

    SyntheticTokenizer(Specification specification) {
        size = specification.config().vocabSize();
        bos = specification.bos().isPresent() ? "<bos>" : null;
        specification.bos().ifPresent(id -> special.put(id, bos));
        List<Integer> ends = specification.eos();
        eos = ends.isEmpty() ? null : "<eos>";
        for (int i = 0; i < ends.size(); i++) {
            special.put(ends.get(i), i == 0 ? eos : "<eos_" + i + ">");
        }
    }

    byte[] tokenizerJson() {
        Map<String, Object> vocabulary = LinkedHashMap.newLinkedHashMap(size);
        int next = 0;
        for (int id = 0; id < size; id++) {
            if (special.containsKey(id)) {
                vocabulary.put(special.get(id), id);
            } else if (next < BYTES) {
                vocabulary.put(String.valueOf(byteLevel(next++)), id);
            } else {
                vocabulary.put(SPACE + "w" + id, id);
            }
        }
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("vocab", vocabulary);
        model.put("merges", List.of());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("version", "1.0");
        json.put(
                "added_tokens",
                special.entrySet().stream().map(SyntheticTokenizer::addedToken).toList());
        json.put("normalizer", null);
        json.put("pre_tokenizer", byteLevelComponent());
        json.put("post_processor", null);
        json.put("decoder", byteLevelComponent());
        json.put("model", model);
        return bytes(json);
    }

    byte[] tokenizerConfigJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("tokenizer_class", "PreTrainedTokenizerFast");
        json.put("add_bos_token", bos != null);
        json.put("add_eos_token", false);
        json.put("bos_token", bos);
        json.put("eos_token", eos);
        json.put("clean_up_tokenization_spaces", false);
        return bytes(json);
    }

    private static Map<String, Object> addedToken(Map.Entry<Integer, String> token) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", token.getKey());
        json.put("content", token.getValue());
        json.put("single_word", false);
        json.put("lstrip", false);
        json.put("rstrip", false);
        json.put("normalized", false);
        json.put("special", true);
        return json;
    }

    private static Map<String, Object> byteLevelComponent() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("type", "ByteLevel");
        json.put("add_prefix_space", false);
        json.put("trim_offsets", true);
        json.put("use_regex", true);
        return json;
    }

    /** GPT-2's alphabet: printable bytes of Latin-1 are themselves, the others follow from U+0100 on in their order. */
    private static char byteLevel(int value) {
        int others = 0;
        for (int b = 0; b <= value; b++) {
            if (!printable(b)) {
                others++;
            }
        }
        return (char) (printable(value) ? value : 0xff + others);
    }

    private static boolean printable(int b) {
        return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    }

    private static byte[] bytes(Map<String, Object> json) {
        return JsonWriter.write(json).getBytes(StandardCharsets.UTF_8);
    }
}
