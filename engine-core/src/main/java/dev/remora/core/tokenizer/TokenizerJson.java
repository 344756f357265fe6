package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads {@code tokenizer.json}, the format of the Hugging Face tokenizers library. */
final class TokenizerJson {
    private static final int MAX_ADDED_LENGTH = 4096;

    private final JsonObject root;
    private final JsonObject model;
    private final String source;

    private TokenizerJson(JsonObject root) {
        this.root = root;
        source = root.source();
        model = root.object("model");
    }

    /** @param config tokenizer_config.json, or null */
    static Tokenizer read(byte[] json, String source, JsonObject config) {
        return new TokenizerJson(Json.object(json, source)).build(config);
    }

    private Tokenizer build(JsonObject config) {
        // Files from before this key was written hold BPE if they have merges.
        String type = model.string("type", model.has("merges") ? "BPE" : "without a type");
        if (!type.equals("BPE")) {
            throw new UnsupportedModelException(model.source() + ": expected BPE, found " + type);
        }
        if (model.has("dropout") && model.number("dropout") > 0) {
            throw new UnsupportedModelException(model.source() + ": dropout is not supported");
        }
        Map<String, Integer> vocab = vocab();
        List<AddedToken> added = addedTokens(vocab, config);
        Vocabulary vocabulary = new Vocabulary(vocab, added, source);
        String prefix = model.string("continuing_subword_prefix", "");
        PairTable merges = merges(vocabulary, prefix);

        PreTokenizerReader.Result words = PreTokenizerReader.read(component("pre_tokenizer"));
        UnknownSymbol unknown = unknown(vocabulary);
        String suffix = model.string("end_of_word_suffix", "");
        boolean plain = prefix.isEmpty() && suffix.isEmpty();
        if (words.byteLevel() && !plain) {
            throw new UnsupportedModelException(model.source()
                    + ": continuing_subword_prefix and end_of_word_suffix are not supported with ByteLevel");
        }
        BytePairEncoder.Symbols symbols = words.byteLevel()
                ? new ByteSymbols(vocabulary, unknown)
                : new CharacterSymbols(vocabulary, unknown, prefix, suffix, model.bool("byte_fallback", false));
        return new BpeTokenizer(
                vocabulary,
                added,
                NormalizerReader.read(component("normalizer")).orElse(null),
                words.steps(),
                new BytePairEncoder(vocabulary, merges, symbols, model.bool("ignore_merges", false)),
                DecoderReader.read(component("decoder")),
                null,
                SpecialTokensReader.read(vocabulary, config, component("post_processor")));
    }

    private JsonObject component(String key) {
        return root.has(key) ? root.object(key) : null;
    }

    private Map<String, Integer> vocab() {
        JsonObject vocab = model.object("vocab");
        Map<String, Integer> ids = Vocabulary.newMap(vocab.keys().size());
        for (String token : vocab.keys()) {
            ids.put(token, vocab.integer(token));
        }
        return ids;
    }

    private List<AddedToken> addedTokens(Map<String, Integer> vocab, JsonObject config) {
        List<AddedToken> added = new ArrayList<>();
        if (root.has("added_tokens")) {
            for (JsonObject json : objects(root, "added_tokens")) {
                addedToken(json, json.integer("id"), true, added);
            }
        }
        if (config != null) {
            List<AddedToken> configured = addedTokens(config);
            for (AddedToken token : configured) {
                boolean known = vocab.containsKey(token.content())
                        || added.stream().anyMatch(a -> a.content().equals(token.content()));
                if (!known) {
                    added.add(token);
                }
            }
        }
        return added;
    }

    /** The entries of {@code added_tokens_decoder} in tokenizer_config.json. */
    static List<AddedToken> addedTokens(JsonObject config) {
        List<AddedToken> added = new ArrayList<>();
        if (config.has("added_tokens_decoder")) {
            JsonObject entries = config.object("added_tokens_decoder");
            for (String key : entries.keys()) {
                if (!key.matches("\\d{1,9}")) {
                    throw new CheckpointException(entries.source() + ": expected ids as keys, found \"" + key + "\"");
                }
                addedToken(entries.object(key), Integer.parseInt(key), false, added);
            }
        }
        return added;
    }

    private static void addedToken(JsonObject json, int id, boolean normalizedDefault, List<AddedToken> added) {
        String content = json.string("content");
        if (content.length() > MAX_ADDED_LENGTH) {
            throw new CheckpointException(json.source() + ": expected a token of at most " + MAX_ADDED_LENGTH
                    + " characters, found " + content.length());
        }
        boolean special = json.bool("special", !normalizedDefault);
        if (!content.isEmpty()) {
            added.add(new AddedToken(
                    id,
                    content,
                    json.bool("single_word", false),
                    json.bool("lstrip", false),
                    json.bool("rstrip", false),
                    json.bool("normalized", normalizedDefault && !special),
                    special));
        }
    }

    private UnknownSymbol unknown(Vocabulary vocabulary) {
        String token = model.string("unk_token", "");
        if (token.isEmpty()) {
            return new UnknownSymbol(-1, false);
        }
        int id = vocabulary.id(token);
        if (id < 0) {
            throw new CheckpointException(model.source() + ": unk_token: \"" + token + "\" is not in the vocabulary");
        }
        return new UnknownSymbol(id, model.bool("fuse_unk", false));
    }

    private PairTable merges(Vocabulary vocabulary, String prefix) {
        List<Object> list = model.array("merges");
        PairTable table = new PairTable(list.size());
        for (int rank = 0; rank < list.size(); rank++) {
            String left;
            String right;
            if (list.get(rank) instanceof String pair
                    && pair.indexOf(' ') >= 0
                    && pair.indexOf(' ') == pair.lastIndexOf(' ')) {
                int space = pair.indexOf(' ');
                left = pair.substring(0, space);
                right = pair.substring(space + 1);
            } else if (list.get(rank) instanceof List<?> pair
                    && pair.size() == 2
                    && pair.get(0) instanceof String first
                    && pair.get(1) instanceof String second) {
                left = first;
                right = second;
            } else {
                throw new CheckpointException(model.source() + ": merges: entry " + rank
                        + ": expected \"left right\" or [\"left\", \"right\"], found " + list.get(rank));
            }
            String merged = left.concat(right.startsWith(prefix) ? right.substring(prefix.length()) : right);
            table.put(
                    mergeId(vocabulary, left, rank),
                    mergeId(vocabulary, right, rank),
                    rank,
                    mergeId(vocabulary, merged, rank));
        }
        return table;
    }

    private int mergeId(Vocabulary vocabulary, String token, int rank) {
        int id = vocabulary.id(token);
        if (id < 0) {
            throw new CheckpointException(
                    model.source() + ": merges: entry " + rank + ": \"" + token + "\" is not in the vocabulary");
        }
        return id;
    }

    /** An array of objects; each knows where it stands. */
    static List<JsonObject> objects(JsonObject parent, String key) {
        List<JsonObject> objects = new ArrayList<>();
        for (Object element : parent.array(key)) {
            objects.add(JsonObject.of(element, parent.source() + ": " + key + "[" + objects.size() + "]"));
        }
        return objects;
    }

    /** The {@code pattern} of a component: {@code {"Regex": ...}} or {@code {"String": ...}}. */
    static TextPattern pattern(JsonObject json) {
        JsonObject pattern = json.object("pattern");
        if (pattern.has("Regex")) {
            return OnigurumaSyntax.compile(pattern.string("Regex"), pattern.source());
        }
        return OnigurumaSyntax.literal(pattern.string("String"));
    }
}
