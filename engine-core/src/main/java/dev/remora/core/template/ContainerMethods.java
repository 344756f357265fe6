package dev.remora.core.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The methods of Python's dict, list and tuple that change nothing. */
final class ContainerMethods {
    /** Stands for None where null says that there is no such attribute. */
    enum None {
        NONE
    }

    private ContainerMethods() {}

    static Object orNone(Object value) {
        return value == null ? None.NONE : value;
    }

    static Function ofDict(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" ->
                args -> {
                    args.bind("items", 0);
                    return new PyView("dict_items", items(map));
                };
            case "keys" ->
                args -> {
                    args.bind("keys", 0);
                    return new PyView("dict_keys", new ArrayList<>(map.keySet()));
                };
            case "values" ->
                args -> {
                    args.bind("values", 0);
                    return new PyView("dict_values", new ArrayList<>(map.values()));
                };
            case "get" ->
                args -> {
                    Args.Bound a = args.bind("get", 1, "key", "default");
                    Object key = Values.key(a.get(0));
                    return map.containsKey(key) ? map.get(key) : a.get(1);
                };
            case "copy" ->
                args -> {
                    args.bind("copy", 0);
                    return new LinkedHashMap<>(map);
                };
            default -> null;
        };
    }

    /** Tuples of key and value. */
    static List<Object> items(Map<?, ?> map) {
        List<Object> items = new ArrayList<>(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            items.add(PyTuple.of(entry.getKey(), entry.getValue()));
        }
        return items;
    }

    static Object ofList(List<?> list, String name) {
        if (list instanceof PyTuple tuple && tuple.names().contains(name)) {
            return orNone(tuple.get(tuple.names().indexOf(name)));
        }
        return switch (name) {
            case "index" ->
                (Function) args -> {
                    Args.Bound a = args.bind("index", 1, "value", "start", "stop");
                    int size = list.size();
                    int start = a.integer(1, 0);
                    int stop = a.integer(2, size);
                    start = Math.max(start < 0 ? start + size : start, 0);
                    stop = Math.min(stop < 0 ? stop + size : stop, size);
                    for (int i = start; i < stop; i++) {
                        if (Values.equal(list.get(i), a.get(0))) {
                            return (long) i;
                        }
                    }
                    throw new PyError(Repr.repr(a.get(0)) + " is not in list");
                };
            case "count" ->
                (Function) args -> {
                    Object wanted = args.bind("count", 1, "value").get(0);
                    return list.stream()
                            .filter(item -> Values.equal(item, wanted))
                            .count();
                };
            case "copy" -> Values.isList(list) ? (Function) args -> new ArrayList<Object>(list) : null;
            default -> null;
        };
    }
}
