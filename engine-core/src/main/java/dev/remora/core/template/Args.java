package dev.remora.core.template;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The evaluated arguments of a call. */
record Args(List<Object> positional, Map<String, Object> named) {
    static final Args NONE = new Args(List.of(), Map.of());

    static Args of(Object... values) {
        return new Args(Arrays.asList(values), Map.of());
    }

    /** The arguments from the {@code n}-th positional one on. */
    Args from(int n) {
        return new Args(positional.subList(n, positional.size()), named);
    }

    /** Assigns the arguments to parameters, of which the first {@code required} have no default. */
    Bound bind(String function, int required, String... parameters) {
        Object[] values = new Object[parameters.length];
        boolean[] given = new boolean[parameters.length];
        if (positional.size() > parameters.length) {
            throw new PyError(
                    function + "() takes at most " + parameters.length + " arguments, found " + positional.size());
        }
        Map<String, Object> rest = new LinkedHashMap<>(named);
        for (int i = 0; i < parameters.length; i++) {
            boolean byName = rest.containsKey(parameters[i]);
            given[i] = byName || i < positional.size();
            if (i < positional.size()) {
                if (byName) {
                    throw new PyError(function + "() got two values for '" + parameters[i] + "'");
                }
                values[i] = positional.get(i);
            } else if (byName) {
                values[i] = rest.remove(parameters[i]);
            } else if (i < required) {
                throw new PyError(function + "() misses its argument '" + parameters[i] + "'");
            }
        }
        if (!rest.isEmpty()) {
            throw new PyError(
                    function + "() has no argument '" + rest.keySet().iterator().next() + "'");
        }
        return new Bound(function, parameters, values, given);
    }

    /** Arguments by parameter. */
    static final class Bound {
        private final String function;
        private final String[] parameters;
        private final Object[] values;
        private final boolean[] given;

        private Bound(String function, String[] parameters, Object[] values, boolean[] given) {
            this.function = function;
            this.parameters = parameters;
            this.values = values;
            this.given = given;
        }

        boolean has(int i) {
            return given[i];
        }

        /** The value, null where none was given. */
        Object get(int i) {
            return values[i];
        }

        Object get(int i, Object fallback) {
            return has(i) ? values[i] : fallback;
        }

        boolean flag(int i) {
            return has(i) && Values.truth(values[i]);
        }

        /** An integer, {@code fallback} where none or None was given. */
        int integer(int i, int fallback) {
            if (get(i) == null) {
                return fallback;
            }
            if (!Values.isInteger(values[i])) {
                throw wrong(i, "an integer");
            }
            return Values.clamp(values[i]);
        }

        /** A string, {@code fallback} where none or None was given. */
        String string(int i, String fallback) {
            if (get(i) == null) {
                return fallback;
            }
            if (!(values[i] instanceof String text)) {
                throw wrong(i, "a string");
            }
            return text;
        }

        private PyError wrong(int i, String expected) {
            return values[i] instanceof Undefined undefined
                    ? undefined.error()
                    : new PyError(function + "(): " + parameters[i] + " must be " + expected + ", not "
                            + Values.typeName(values[i]));
        }
    }
}
