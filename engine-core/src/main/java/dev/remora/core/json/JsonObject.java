package dev.remora.core.json;

import dev.remora.core.CheckpointException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A JSON object with typed access. Every getter names the file and the key in its error; those with a fallback return it
 * for a missing key and for {@code null}, never for a value of the wrong type.
 */
public final class JsonObject {
    private final Map<String, Object> map;
    private final String source;

    private JsonObject(Map<String, Object> map, String source) {
        this.map = map;
        this.source = source;
    }

    /** Wraps a parsed value; {@code source} says where it stands, for example {@code config.json: rope_scaling}. */
    @SuppressWarnings("unchecked") // Json creates maps with string keys only
    public static JsonObject of(Object value, String source) {
        if (!(value instanceof Map)) {
            throw new CheckpointException(source + ": expected an object, found " + describe(value));
        }
        return new JsonObject((Map<String, Object>) value, source);
    }

    /** Where this object stands. */
    public String source() {
        return source;
    }

    public Set<String> keys() {
        return Collections.unmodifiableSet(map.keySet());
    }

    /** True if the key is there and not null. */
    public boolean has(String key) {
        return map.get(key) != null;
    }

    /** The plain value, or null. */
    public Object get(String key) {
        return map.get(key);
    }

    public int integer(String key) {
        return (int) integer(key, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    public int integer(String key, int fallback) {
        return has(key) ? integer(key) : fallback;
    }

    private long integer(String key, long min, long max) {
        Object value = required(key, "an integer");
        double number = value instanceof Number n ? n.doubleValue() : Double.NaN;
        if (!(number == Math.rint(number) && number >= min && number <= max)) {
            throw wrong(key, "an integer of 32 bits", value);
        }
        return (long) number;
    }

    public double number(String key) {
        Object value = required(key, "a number");
        // 1e400 parses to infinity, which no setting of a model can mean.
        if (!(value instanceof Number n) || !Double.isFinite(n.doubleValue())) {
            throw wrong(key, "a finite number", value);
        }
        return n.doubleValue();
    }

    public double number(String key, double fallback) {
        return has(key) ? number(key) : fallback;
    }

    public boolean bool(String key, boolean fallback) {
        if (!has(key)) {
            return fallback;
        }
        Object value = map.get(key);
        if (!(value instanceof Boolean b)) {
            throw wrong(key, "true or false", value);
        }
        return b;
    }

    public String string(String key) {
        Object value = required(key, "a string");
        if (!(value instanceof String s)) {
            throw wrong(key, "a string", value);
        }
        return s;
    }

    public String string(String key, String fallback) {
        return has(key) ? string(key) : fallback;
    }

    public JsonObject object(String key) {
        return of(required(key, "an object"), source + ": " + key);
    }

    @SuppressWarnings("unchecked") // Json creates lists of Object only
    public List<Object> array(String key) {
        Object value = required(key, "an array");
        if (!(value instanceof List)) {
            throw wrong(key, "an array", value);
        }
        return (List<Object>) value;
    }

    private Object required(String key, String expected) {
        Object value = map.get(key);
        if (value == null) {
            throw new CheckpointException(source + ": " + key + ": expected " + expected + ", found "
                    + (map.containsKey(key) ? "null" : "no such key"));
        }
        return value;
    }

    private CheckpointException wrong(String key, String expected, Object found) {
        return new CheckpointException(source + ": " + key + ": expected " + expected + ", found " + describe(found));
    }

    private static String describe(Object value) {
        return switch (value) {
            case null -> "null";
            case Map<?, ?> map -> "an object";
            case List<?> list -> "an array";
            case String s -> "\"" + (s.length() > 40 ? s.substring(0, 40) + "..." : s) + "\"";
            default -> value.toString();
        };
    }
}
