package dev.remora.core.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The filters that apply another filter or test to each element. */
final class SelectionFilters {
    private SelectionFilters() {}

    static Map<String, Filter> all() {
        return Map.of(
                "map", SelectionFilters::map,
                "select", (v, a) -> select("select", v, a, true, false),
                "reject", (v, a) -> select("reject", v, a, false, false),
                "selectattr", (v, a) -> select("selectattr", v, a, true, true),
                "rejectattr", (v, a) -> select("rejectattr", v, a, false, true));
    }

    private static Object map(Object value, Args args) {
        List<Object> mapped = new ArrayList<>();
        if (args.positional().isEmpty()) {
            if (!args.named().containsKey("attribute")) {
                throw new PyError("map requires a filter argument");
            }
            Args.Bound a = args.bind("map", 0, "attribute", "default");
            for (Object item : Values.list(value)) {
                Object found = Attributes.path(item, a.get(0));
                mapped.add(found instanceof Undefined && a.get(1) != null ? a.get(1) : found);
            }
        } else {
            Filter filter = Filters.named(Repr.str(args.positional().getFirst()));
            Args rest = args.from(1);
            for (Object item : Values.list(value)) {
                mapped.add(filter.apply(item, rest));
            }
        }
        return new Generator(mapped);
    }

    private static Object select(String name, Object value, Args args, boolean wanted, boolean byAttribute) {
        if (byAttribute && args.positional().isEmpty()) {
            throw new PyError(name + " misses its parameter for the attribute name");
        }
        Object attribute = byAttribute ? args.positional().getFirst() : null;
        Args rest = byAttribute ? args.from(1) : args;
        boolean tests = !rest.positional().isEmpty();
        Conditions.Test test =
                tests ? Conditions.named(Repr.str(rest.positional().getFirst())) : (v, a) -> Values.truth(v);
        Args arguments = tests ? rest.from(1) : Args.NONE;
        List<Object> selected = new ArrayList<>();
        for (Object item : Values.list(value)) {
            if (test.holds(Attributes.path(item, attribute), arguments) == wanted) {
                selected.add(item);
            }
        }
        return new Generator(selected);
    }
}
