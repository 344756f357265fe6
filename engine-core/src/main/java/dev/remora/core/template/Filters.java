package dev.remora.core.template;

import java.util.HashMap;
import java.util.Map;

/** Jinja's filters by name. Those that give another text at each call, or HTML for a browser, are left out. */
final class Filters {
    private static final Map<String, Filter> ALL = all();

    private Filters() {}

    private static Map<String, Filter> all() {
        Map<String, Filter> all = new HashMap<>();
        all.putAll(TextFilters.all());
        all.putAll(SequenceFilters.all());
        all.putAll(SelectionFilters.all());
        all.putAll(NumberFilters.all());
        all.put("tojson", PyJson::filter);
        return Map.copyOf(all);
    }

    static boolean has(String name) {
        return ALL.containsKey(name);
    }

    static Filter named(String name) {
        Filter filter = ALL.get(name);
        if (filter == null) {
            throw new PyError("no filter named '" + name + "'"
                    + (name.equals("random") ? ": a chat template must give the same text every time" : ""));
        }
        return filter;
    }
}
