package dev.remora.core.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The filters of lists and dicts. */
final class SequenceFilters {
    private SequenceFilters() {}

    static Map<String, Filter> all() {
        return Map.ofEntries(
                plain("length", Values::length),
                plain("count", Values::length),
                plain("first", SequenceFilters::first),
                plain("last", SequenceFilters::last),
                plain("list", v -> new ArrayList<>(Values.list(v))),
                Map.entry("join", SequenceFilters::join),
                plain("reverse", SequenceFilters::reverse),
                plain("items", SequenceFilters::items),
                Map.entry("dictsort", SequenceFilters::dictSort),
                Map.entry("sort", SequenceFilters::sort),
                Map.entry("unique", SequenceFilters::unique),
                Map.entry("min", (v, a) -> extreme("min", v, a)),
                Map.entry("max", (v, a) -> extreme("max", v, a)),
                Map.entry("sum", SequenceFilters::sum),
                Map.entry("batch", SequenceFilters::batch),
                Map.entry("slice", SequenceFilters::slice),
                Map.entry("groupby", SequenceFilters::groupBy),
                Map.entry("attr", SequenceFilters::attr));
    }

    private static Map.Entry<String, Filter> plain(String name, UnaryOperator<Object> filter) {
        return Map.entry(name, (value, args) -> {
            args.bind(name, 0);
            return filter.apply(value);
        });
    }

    private static Object first(Object value) {
        var items = Values.iterate(value);
        return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
    }

    private static Object last(Object value) {
        if (value instanceof Generator || value instanceof Undefined || !Values.isSized(value)) {
            throw new PyError("'" + Values.typeName(value) + "' object is not reversible");
        }
        List<Object> items = Values.list(value);
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.getLast();
    }

    private static Object join(Object value, Args args) {
        Args.Bound a = args.bind("join", 0, "d", "attribute");
        String separator = Repr.str(a.get(0, ""));
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Object item : Values.list(value)) {
            out.append(first ? "" : separator).append(Repr.str(Attributes.path(item, a.get(1))));
            Limits.text(out.length());
            first = false;
        }
        return out.toString();
    }

    private static Object reverse(Object value) {
        List<Object> reversed = Values.list(value).reversed();
        if (!(value instanceof String)) {
            return new Generator(reversed);
        }
        StringBuilder text = new StringBuilder();
        reversed.forEach(text::append);
        return text.toString();
    }

    private static Object items(Object value) {
        if (value instanceof Undefined) {
            return new Generator(List.of());
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw new PyError("Can only get item pairs from a mapping.");
        }
        return new Generator(ContainerMethods.items(map));
    }

    private static Object dictSort(Object value, Args args) {
        Args.Bound a = args.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        String by = a.string(1, "key");
        if (!by.equals("key") && !by.equals("value")) {
            throw new PyError("You can only sort by either \"key\" or \"value\"");
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw value instanceof Undefined undefined
                    ? undefined.error()
                    : new PyError("dictsort takes a dict, not " + Values.typeName(value));
        }
        int position = by.equals("key") ? 0 : 1;
        return sorted(
                ContainerMethods.items(map), a.flag(2), item -> folded(((PyTuple) item).get(position), a.flag(0)));
    }

    private static Object folded(Object value, boolean caseSensitive) {
        return value instanceof String text && !caseSensitive ? text.toLowerCase(Locale.ROOT) : value;
    }

    private static List<Object> sorted(List<Object> items, boolean reverse, UnaryOperator<Object> key) {
        List<Object> sorted = new ArrayList<>(items);
        Comparator<Object> order = (x, y) -> Values.compare(key.apply(x), key.apply(y), "<");
        sorted.sort(reverse ? order.reversed() : order);
        return sorted;
    }

    private static Object sort(Object value, Args args) {
        Args.Bound a = args.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        Object attribute = a.get(2);
        List<Object> paths = attribute instanceof String text ? PyString.split(text, ",", -1) : null;
        return sorted(Values.list(value), a.flag(0), item -> {
            if (paths == null) {
                return folded(Attributes.path(item, attribute), a.flag(1));
            }
            List<Object> keys = new ArrayList<>();
            paths.forEach(path -> keys.add(folded(Attributes.path(item, path), a.flag(1))));
            return keys;
        });
    }

    private static Object unique(Object value, Args args) {
        Args.Bound a = args.bind("unique", 0, "case_sensitive", "attribute");
        Set<Object> seen = new LinkedHashSet<>();
        List<Object> unique = new ArrayList<>();
        for (Object item : Values.list(value)) {
            if (seen.add(Values.key(folded(Attributes.path(item, a.get(1)), a.flag(0))))) {
                unique.add(item);
            }
        }
        return new Generator(unique);
    }

    private static Object extreme(String name, Object value, Args args) {
        Args.Bound a = args.bind(name, 0, "case_sensitive", "attribute");
        List<Object> items = Values.list(value);
        if (items.isEmpty()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.getFirst();
        for (Object item : items.subList(1, items.size())) {
            Object x = folded(Attributes.path(item, a.get(1)), a.flag(0));
            Object y = folded(Attributes.path(best, a.get(1)), a.flag(0));
            if (name.equals("min") ? Values.compare(x, y, "<") < 0 : Values.compare(x, y, ">") > 0) {
                best = item;
            }
        }
        return best;
    }

    private static Object sum(Object value, Args args) {
        Args.Bound a = args.bind("sum", 0, "attribute", "start");
        Object sum = a.get(1, 0L);
        if (sum instanceof String) {
            throw new PyError("sum() can't sum strings [use ''.join(seq) instead]");
        }
        for (Object item : Values.list(value)) {
            sum = Operators.apply("+", sum, Attributes.path(item, a.get(0)));
        }
        return sum;
    }

    private static Object batch(Object value, Args args) {
        Args.Bound a = args.bind("batch", 1, "linecount", "fill_with");
        int size = a.integer(0, 0);
        List<Object> batches = new ArrayList<>();
        List<Object> batch = new ArrayList<>();
        for (Object item : Values.list(value)) {
            if (batch.size() == size) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
            batch.add(item);
        }
        if (!batch.isEmpty()) {
            while (a.get(1) != null && batch.size() < Limits.items(size)) {
                batch.add(a.get(1));
            }
            batches.add(batch);
        }
        return new Generator(batches);
    }

    private static Object slice(Object value, Args args) {
        Args.Bound a = args.bind("slice", 1, "slices", "fill_with");
        int slices = Limits.items(a.integer(0, 0));
        if (slices == 0) {
            throw new PyError("integer division or modulo by zero");
        }
        List<Object> items = Values.list(value);
        List<Object> all = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < slices; i++) {
            boolean extra = i < items.size() % slices;
            int end = start + items.size() / slices + (extra ? 1 : 0);
            List<Object> slice = new ArrayList<>(items.subList(start, end));
            if (a.get(1) != null && !extra) {
                slice.add(a.get(1));
            }
            all.add(slice);
            start = end;
        }
        return new Generator(all);
    }

    private static Object groupBy(Object value, Args args) {
        Args.Bound a = args.bind("groupby", 1, "attribute", "default", "case_sensitive");
        UnaryOperator<Object> key = item -> {
            Object found = Attributes.path(item, a.get(0));
            return found instanceof Undefined && a.get(1) != null ? a.get(1) : found;
        };
        boolean caseSensitive = a.flag(2);
        List<Object> groups = new ArrayList<>();
        List<Object> group = List.of();
        for (Object item : sorted(Values.list(value), false, item -> folded(key.apply(item), caseSensitive))) {
            boolean same = !group.isEmpty()
                    && Values.equal(
                            folded(key.apply(group.getFirst()), caseSensitive), folded(key.apply(item), caseSensitive));
            if (!same) {
                group = new ArrayList<>();
                groups.add(PyTuple.group(key.apply(item), group));
            }
            group.add(item);
        }
        return groups;
    }

    private static Object attr(Object value, Args args) {
        String name = args.bind("attr", 1, "name").string(0, "");
        return value instanceof Map<?, ?> map && ContainerMethods.ofDict(map, name) == null
                ? Undefined.member(value, name)
                : Attributes.attribute(value, name);
    }
}
