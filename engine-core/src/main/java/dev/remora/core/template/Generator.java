package dev.remora.core.template;

import java.util.Iterator;
import java.util.List;

/** What filters such as {@code map} and {@code select} give in Jinja: iterable once, without a length, always true. */
final class Generator {
    private final Iterator<Object> iterator;

    Generator(List<Object> items) {
        this.iterator = items.iterator();
    }

    Iterator<Object> iterator() {
        return iterator;
    }
}
