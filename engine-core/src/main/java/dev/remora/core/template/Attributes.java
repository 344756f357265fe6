package dev.remora.core.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * {@code value.name}, {@code value[key]} and slices. As in Jinja, a dot looks for a method first and for an item second,
 * brackets the other way round, and what is in neither place is undefined.
 */
final class Attributes {
    private static final Set<String> CHANGES_DICT = Set.of("clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> CHANGES_LIST =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

    private Attributes() {}

    static Object attribute(Object owner, String name) {
        Object found = own(owner, name);
        if (found != null) {
            return found instanceof ContainerMethods.None ? null : found;
        }
        if (owner instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        return Undefined.member(owner, name);
    }

    static Object item(Object owner, Object key) {
        switch (owner) {
            case Undefined undefined -> throw undefined.error();
            case Map<?, ?> map -> {
                if (!(key instanceof List || key instanceof Map)) {
                    Object normal = Values.key(key);
                    if (map.containsKey(normal)) {
                        return map.get(normal);
                    }
                }
            }
            case List<?> list -> {
                if (Values.isInteger(key)) {
                    int size = list.size();
                    int index = Values.clamp(key);
                    int position = index < 0 ? index + size : index;
                    return position >= 0 && position < size ? list.get(position) : Undefined.member(owner, key);
                }
            }
            case String text -> {
                if (Values.isInteger(key)) {
                    int size = text.codePointCount(0, text.length());
                    int index = Values.clamp(key);
                    int position = index < 0 ? index + size : index;
                    return position >= 0 && position < size
                            ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, position)))
                            : Undefined.member(owner, key);
                }
            }
            case null, default -> {}
        }
        Object found = key instanceof String name ? own(owner, name) : null;
        return found == null ? Undefined.member(owner, key) : found instanceof ContainerMethods.None ? null : found;
    }

    /**
     * A method, or an attribute of one of Jinja's own objects; null if there is none, {@link ContainerMethods.None} for
     * None.
     */
    private static Object own(Object owner, String name) {
        if (owner instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (name.startsWith("__") && name.endsWith("__")) {
            return unsafe(owner, name);
        }
        return switch (owner) {
            case null -> null;
            case String text -> StringMethods.of(text, name);
            case Map<?, ?> map ->
                CHANGES_DICT.contains(name) ? unsafe(owner, name) : ContainerMethods.ofDict(map, name);
            case List<?> list ->
                Values.isList(list) && CHANGES_LIST.contains(name)
                        ? unsafe(owner, name)
                        : ContainerMethods.ofList(list, name);
            case Namespace namespace -> namespace.has(name) ? ContainerMethods.orNone(namespace.get(name)) : null;
            case Loop loop -> loop.attribute(name);
            case Macro macro -> macro.attribute(name);
            case Globals.Cycler cycler -> cycler.attribute(name);
            default -> null;
        };
    }

    private static Undefined unsafe(Object owner, String name) {
        return new Undefined("access to attribute '" + name + "' of '" + Values.typeName(owner) + "' object is unsafe: "
                + (name.startsWith("_") ? "internals are hidden" : "values cannot be changed")
                + " in a chat template");
    }

    /** {@code owner} by a path as filters take it: {@code "function.name"}, {@code "0"} or an integer. */
    static Object path(Object owner, Object path) {
        if (!(path instanceof String text)) {
            return path == null ? owner : item(owner, path);
        }
        Object value = owner;
        for (String part : text.split("\\.", -1)) {
            boolean index =
                    !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            value = item(value, index ? (Object) Long.valueOf(part) : part);
        }
        return value;
    }

    /** {@code owner[start:stop:step]}; None or undefined limits are open. */
    static Object slice(Object owner, Object start, Object stop, Object step) {
        if (owner instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (owner instanceof Map) {
            throw new PyError("unhashable type: 'slice'");
        }
        if (!(owner instanceof String || owner instanceof List)) {
            throw new PyError("'" + Values.typeName(owner) + "' object is not subscriptable");
        }
        List<Object> items = Values.list(owner);
        int size = items.size();
        int by = step == null ? 1 : index(step);
        if (by == 0) {
            throw new PyError("slice step cannot be zero");
        }
        int from = bound(start, by > 0 ? 0 : size - 1, size, by);
        int to = bound(stop, by > 0 ? size : -1, size, by);
        if (owner instanceof PyRange range) {
            return range.slice(from, to, by);
        }
        List<Object> cut = new ArrayList<>();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            cut.add(items.get((int) i));
        }
        if (owner instanceof String) {
            StringBuilder text = new StringBuilder();
            cut.forEach(text::append);
            return text.toString();
        }
        return owner instanceof PyTuple ? PyTuple.copyOf(cut) : cut;
    }

    private static int bound(Object given, int open, int size, int step) {
        if (given == null) {
            return open;
        }
        int index = index(given);
        if (index < 0) {
            index += size;
        }
        return step > 0 ? Math.clamp(index, 0, size) : Math.clamp(index, -1, size - 1);
    }

    private static int index(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!Values.isInteger(value)) {
            throw new PyError("slice indices must be integers or None, not " + Values.typeName(value));
        }
        return Values.clamp(value);
    }
}
