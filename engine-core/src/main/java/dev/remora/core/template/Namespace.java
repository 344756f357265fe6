package dev.remora.core.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The only thing that a template can change from within a loop; it lives as long as one rendering. */
final class Namespace {
    private final Map<String, Object> attributes = new LinkedHashMap<>();

    static Object create(Args args) {
        Namespace namespace = new Namespace();
        namespace.attributes.putAll(Globals.dict(args));
        return namespace;
    }

    boolean has(String name) {
        return attributes.containsKey(name);
    }

    Object get(String name) {
        return attributes.get(name);
    }

    void set(String name, Object value) {
        attributes.put(name, value);
    }

    Map<String, Object> attributes() {
        return attributes;
    }
}
