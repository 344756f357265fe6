package dev.remora.core.json;

import dev.remora.core.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.core.json.JsonFactory;

/**
 * Parses JSON into plain Java values: {@code LinkedHashMap<String, Object>}, {@code ArrayList<Object>}, {@code String},
 * {@code Long} (or {@code BigInteger} beyond its range), {@code Double}, {@code Boolean} and {@code null}.
 */
public final class Json {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(tools.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private Json() {}

    /**
     * Parses one document.
     *
     * @param source name of the file, for error messages
     * @throws CheckpointException if the bytes are not exactly one JSON value
     */
    public static Object parse(byte[] utf8, String source) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), utf8)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                throw new CheckpointException(source + ": expected JSON, found an empty document");
            }
            Object value = value(parser, first);
            if (parser.nextToken() != null) {
                throw new CheckpointException(source + ": unexpected text after the JSON value, at "
                        + parser.currentTokenLocation().offsetDescription());
            }
            return value;
        } catch (JacksonException e) {
            // Violated limits (depth, length of a number) come without a location.
            TokenStreamLocation at = e.getLocation();
            String place = at == null ? "" : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
            // Where an open value began would follow, with internals of the parser instead of a place.
            String what = e.getOriginalMessage().replaceFirst(" \\(start marker at .*", "");
            throw new CheckpointException(source + ": invalid JSON: " + what + place, e);
        }
    }

    /** As {@link #parse(byte[], String)}, of text. */
    public static Object parse(String text, String source) {
        return parse(text.getBytes(StandardCharsets.UTF_8), source);
    }

    /** Parses a document that must be an object. */
    public static JsonObject object(byte[] utf8, String source) {
        return JsonObject.of(parse(utf8, source), source);
    }

    /** The text as a JSON string, with its quotes. */
    public static String quote(String text) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsCharArray(text)) + '"';
    }

    private static Object value(JsonParser parser, JsonToken token) {
        return switch (token) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    object.put(name, value(parser, parser.nextToken()));
                }
                yield object;
            }
            case START_ARRAY -> {
                List<Object> array = new ArrayList<>();
                for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
                    array.add(value(parser, t));
                }
                yield array;
            }
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT -> {
                Number number = parser.getNumberValue();
                yield number instanceof Integer i ? Long.valueOf(i.longValue()) : number;
            }
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new IllegalStateException("unexpected token " + token);
        };
    }
}
