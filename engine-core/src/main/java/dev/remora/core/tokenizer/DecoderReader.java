package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;

/** Reads the {@code decoder} of tokenizer.json. */
final class DecoderReader {
    private final List<TextDecoder.Step> steps = new ArrayList<>();
    private boolean byteFallback;
    private boolean fused;
    private int strip;
    private char stripped;

    private DecoderReader() {}

    /** @param json the component, or null if the file has none: then tokens are joined by spaces */
    static TokenDecoder read(JsonObject json) {
        if (json == null) {
            return new TextDecoder(List.of(), false, " ", 0, ' ');
        }
        List<JsonObject> parts =
                json.string("type").equals("Sequence") ? TokenizerJson.objects(json, "decoders") : List.of(json);
        if (parts.size() == 1 && parts.getFirst().string("type").equals("ByteLevel")) {
            return new ByteLevelDecoder();
        }
        DecoderReader reader = new DecoderReader();
        parts.forEach(reader::add);
        return new TextDecoder(List.copyOf(reader.steps), reader.byteFallback, "", reader.strip, reader.stripped);
    }

    private void add(JsonObject json) {
        String type = json.string("type");
        switch (type) {
            case "Replace" -> {
                requireBeforeBytes(json, type);
                TextPattern pattern = TokenizerJson.pattern(json);
                String content = json.string("content");
                steps.add((token, first) -> NormalizerReader.replace(token, pattern, content));
            }
            case "Metaspace" -> {
                requireBeforeBytes(json, type);
                String space = json.string("replacement");
                boolean prepended = json.has("prepend_scheme")
                        ? !json.string("prepend_scheme").equals("never")
                        : json.bool("add_prefix_space", true);
                steps.add((token, first) -> token.replace(space, first && prepended ? "" : " "));
            }
            case "Strip" -> strip(json);
            case "ByteFallback" -> byteFallback = true;
            case "Fuse" -> fused = true;
            default ->
                throw new UnsupportedModelException(json.source() + ": the decoder " + type + " is not supported here");
        }
    }

    private void strip(JsonObject json) {
        String content = json.string("content");
        int start = json.integer("start");
        int stop = json.integer("stop");
        if (content.length() != 1 || start < 0 || stop < 0) {
            throw new CheckpointException(json.source() + ": expected one character and two counts, found \"" + content
                    + "\", " + start + " and " + stop);
        }
        char c = content.charAt(0);
        if (!fused) {
            requireBeforeBytes(json, "Strip");
            steps.add((token, first) -> strip(token, c, start, stop));
        } else if (stop > 0 || strip > 0) {
            throw new UnsupportedModelException(json.source()
                    + ": Strip at the end of the text is not supported; expected stop = 0, found " + stop);
        } else {
            strip = start;
            stripped = c;
        }
    }

    private static String strip(String token, char c, int start, int stop) {
        int from = 0;
        while (from < start && from < token.length() && token.charAt(from) == c) {
            from++;
        }
        int to = token.length();
        while (token.length() - to < stop && to > from && token.charAt(to - 1) == c) {
            to--;
        }
        return token.substring(from, to);
    }

    private void requireBeforeBytes(JsonObject json, String type) {
        if (byteFallback || fused) {
            throw new UnsupportedModelException(
                    json.source() + ": the decoder " + type + " after ByteFallback or Fuse is not supported");
        }
    }
}
