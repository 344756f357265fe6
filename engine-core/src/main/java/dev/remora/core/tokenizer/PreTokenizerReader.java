package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Reads the {@code pre_tokenizer} of tokenizer.json. */
final class PreTokenizerReader {
    /** The words of GPT-2, which ByteLevel cuts unless told otherwise. */
    static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private static final String PUNCTUATION = "[!-/:-@\\[-`{-~\\p{P}]";

    private final List<PreTokenizer> steps = new ArrayList<>();
    private boolean byteLevel;

    private PreTokenizerReader() {}

    /**
     * What was read.
     *
     * @param steps applied one after another, each to the pieces of the one before
     * @param byteLevel whether words are bytes ({@link ByteLevel}) to the vocabulary
     */
    record Result(List<PreTokenizer> steps, boolean byteLevel) {}

    /** @param json the component, or null if the file has none */
    static Result read(JsonObject json) {
        PreTokenizerReader reader = new PreTokenizerReader();
        if (json != null) {
            reader.add(json);
        }
        return new Result(List.copyOf(reader.steps), reader.byteLevel);
    }

    private void add(JsonObject json) {
        String type = json.string("type");
        if (byteLevel && !type.equals("Sequence")) {
            throw new UnsupportedModelException(
                    json.source() + ": " + type + " after ByteLevel is not supported; ByteLevel must come last");
        }
        switch (type) {
            case "Sequence" -> TokenizerJson.objects(json, "pretokenizers").forEach(this::add);
            case "Split" ->
                steps.add(new Split(
                        TokenizerJson.pattern(json),
                        behavior(json, json.string("behavior")),
                        json.bool("invert", false)));
            case "Digits" ->
                split(
                        json,
                        "\\p{N}",
                        json.bool("individual_digits", false) ? SplitBehavior.ISOLATED : SplitBehavior.CONTIGUOUS);
            case "Punctuation" -> split(json, PUNCTUATION, behavior(json, json.string("behavior", "Isolated")));
            case "WhitespaceSplit" -> split(json, "\\s", SplitBehavior.REMOVED);
            case "Whitespace" ->
                steps.add(new Split(
                        OnigurumaSyntax.compile("\\w+|[^\\w\\s]+", json.source()), SplitBehavior.REMOVED, true));
            case "BertPreTokenizer" -> {
                split(json, "\\s", SplitBehavior.REMOVED);
                split(json, PUNCTUATION, SplitBehavior.ISOLATED);
            }
            case "CharDelimiterSplit" ->
                steps.add(new Split(OnigurumaSyntax.literal(json.string("delimiter")), SplitBehavior.REMOVED, false));
            case "Metaspace" -> steps.add(metaspace(json));
            case "ByteLevel" -> byteLevel(json);
            default ->
                throw new UnsupportedModelException(
                        json.source() + ": the pre-tokenizer " + type + " is not supported");
        }
    }

    private void split(JsonObject json, String regex, SplitBehavior behavior) {
        steps.add(new Split(OnigurumaSyntax.compile(regex, json.source()), behavior, false));
    }

    private void byteLevel(JsonObject json) {
        if (json.bool("add_prefix_space", true)) {
            steps.add(new PrefixSpace());
        }
        if (json.bool("use_regex", true)) {
            split(json, GPT2, SplitBehavior.ISOLATED);
        }
        byteLevel = true;
    }

    private static Metaspace metaspace(JsonObject json) {
        String replacement = json.string("replacement");
        if (replacement.length() != 1) {
            throw new CheckpointException(
                    json.source() + ": replacement: expected one character, found \"" + replacement + "\"");
        }
        String scheme = json.string("prepend_scheme", json.bool("add_prefix_space", true) ? "always" : "never");
        Metaspace.Prepend prepend = switch (scheme) {
            case "always" -> Metaspace.Prepend.ALWAYS;
            case "first" -> Metaspace.Prepend.FIRST;
            case "never" -> Metaspace.Prepend.NEVER;
            default ->
                throw new CheckpointException(
                        json.source() + ": prepend_scheme: expected always, first or never, found " + scheme);
        };
        return new Metaspace(replacement.charAt(0), prepend, json.bool("split", true));
    }

    private static SplitBehavior behavior(JsonObject json, String name) {
        for (SplitBehavior behavior : SplitBehavior.values()) {
            if (behavior.name().replace("_", "").equals(name.toUpperCase(Locale.ROOT))) {
                return behavior;
            }
        }
        throw new CheckpointException(json.source() + ": behavior: expected Isolated, Removed, MergedWithPrevious, "
                + "MergedWithNext or Contiguous, found " + name);
    }
}
