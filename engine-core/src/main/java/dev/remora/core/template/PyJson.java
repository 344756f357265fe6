package dev.remora.core.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's {@code json.dumps}, byte for byte: prompts are tokenized, so spacing is content. */
final class PyJson {
    private final StringBuilder out = new StringBuilder();
    private final boolean ascii;
    private final String indent;
    private final String comma;
    private final String colon;
    private final boolean sortKeys;

    private PyJson(boolean ascii, String indent, String comma, String colon, boolean sortKeys) {
        this.ascii = ascii;
        this.indent = indent;
        this.comma = comma;
        this.colon = colon;
        this.sortKeys = sortKeys;
    }

    /** The filter {@code tojson}, with the arguments that Hugging Face's has. */
    static Object filter(Object value, Args args) {
        Args.Bound a = args.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        String indent = switch (a.get(1)) {
            case null -> null;
            case String text -> text;
            default -> " ".repeat(Math.min(Math.max(0, a.integer(1, 0)), 1000));
        };
        String comma = indent == null ? ", " : ",";
        String colon = ": ";
        if (a.get(2) != null) {
            List<Object> separators = Values.list(a.get(2));
            if (separators.size() != 2) {
                throw new PyError("tojson(): separators must be two strings");
            }
            comma = Repr.str(separators.get(0));
            colon = Repr.str(separators.get(1));
        }
        PyJson json = new PyJson(a.flag(0), indent, comma, colon, a.flag(3));
        json.write(value, 0);
        return json.out.toString();
    }

    private void write(Object value, int depth) {
        Limits.text(out.length());
        switch (value) {
            case null -> out.append("null");
            case Boolean b -> out.append(b.booleanValue());
            case String text -> string(text);
            case Double d -> out.append(real(d));
            case Float f -> out.append(real(f));
            case Number number -> out.append(number);
            case List<?> list when !(list instanceof PyRange) -> array(list, depth);
            case Map<?, ?> map -> object(map, depth);
            default ->
                throw new PyError("Object of type " + Values.typeName(value) + " is not JSON serializable"
                        + (value instanceof Undefined undefined ? ": " + undefined.reason() : ""));
        }
    }

    private void array(List<?> list, int depth) {
        out.append('[');
        for (int i = 0; i < list.size(); i++) {
            out.append(i == 0 ? "" : comma);
            newline(depth + 1);
            write(list.get(i), depth + 1);
        }
        close(list.isEmpty(), ']', depth);
    }

    private void object(Map<?, ?> map, int depth) {
        out.append('{');
        List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
        if (sortKeys) {
            entries.sort((a, b) -> Values.compare(a.getKey(), b.getKey(), "<"));
        }
        for (Iterator<Map.Entry<?, ?>> it = entries.iterator(); it.hasNext(); ) {
            Map.Entry<?, ?> entry = it.next();
            newline(depth + 1);
            string(key(entry.getKey()));
            out.append(colon);
            write(entry.getValue(), depth + 1);
            out.append(it.hasNext() ? comma : "");
        }
        close(map.isEmpty(), '}', depth);
    }

    private void newline(int depth) {
        if (indent != null) {
            out.append('\n').repeat(indent, depth);
        }
    }

    private void close(boolean empty, char bracket, int depth) {
        if (!empty) {
            newline(depth);
        }
        out.append(bracket);
    }

    private static String key(Object key) {
        return switch (key) {
            case null -> "null";
            case String text -> text;
            case Boolean b -> b.toString();
            case Double d -> real(d);
            case Number number -> number.toString();
            default -> throw new PyError("keys must be str, int, float, bool or None, not " + Values.typeName(key));
        };
    }

    private static String real(double value) {
        return Double.isNaN(value)
                ? "NaN"
                : Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : Repr.real(value);
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ' || (ascii && c > '~')) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
