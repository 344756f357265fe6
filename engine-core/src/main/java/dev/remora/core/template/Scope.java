package dev.remora.core.template;

import java.util.HashMap;
import java.util.Map;

/** Names and values; what is not here is looked up in the enclosing scope. */
final class Scope {
    private final Scope parent;
    private final Map<String, Object> names;

    private Scope(Scope parent, Map<String, Object> names) {
        this.parent = parent;
        this.names = names;
    }

    Scope(Scope parent) {
        this(parent, new HashMap<>());
    }

    /** The outermost scope of a rendering: the globals, hidden by the caller's variables, hidden by the template's. */
    static Scope root(Map<String, Object> globals, Map<String, Object> variables) {
        return new Scope(new Scope(new Scope(null, globals), variables));
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Object value = scope.names.get(name);
            if (value != null || scope.names.containsKey(name)) {
                return value;
            }
        }
        return Undefined.name(name);
    }

    void set(String name, Object value) {
        names.put(name, value);
    }
}
