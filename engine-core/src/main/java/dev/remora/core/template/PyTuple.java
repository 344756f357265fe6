package dev.remora.core.template;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Python's tuple: a list that is not equal to one, and prints with parentheses. Its elements may have names. */
final class PyTuple extends AbstractList<Object> {
    private final List<Object> items;
    private final List<String> names;

    private PyTuple(List<Object> items, List<String> names) {
        this.items = items;
        this.names = names;
    }

    static PyTuple of(Object... items) {
        return new PyTuple(Arrays.asList(items), List.of());
    }

    static PyTuple copyOf(List<?> items) {
        return new PyTuple(Collections.unmodifiableList(items), List.of());
    }

    /** What groupby gives. */
    static PyTuple group(Object grouper, List<Object> list) {
        return new PyTuple(Arrays.asList(grouper, list), List.of("grouper", "list"));
    }

    List<String> names() {
        return names;
    }

    @Override
    public Object get(int index) {
        return items.get(index);
    }

    @Override
    public int size() {
        return items.size();
    }
}
