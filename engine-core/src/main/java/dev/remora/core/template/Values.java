package dev.remora.core.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What Python says of values: their types, truth, equality, order, length and elements. */
final class Values {
    private Values() {}

    static String typeName(Object value) {
        return switch (value) {
            case null -> "NoneType";
            case String s -> "str";
            case Boolean b -> "bool";
            case Double d -> "float";
            case Float f -> "float";
            case Number n -> "int";
            case Map<?, ?> m -> "dict";
            case PyTuple t -> "tuple";
            case PyRange r -> "range";
            case List<?> l -> "list";
            case PyView v -> v.kind();
            case Generator g -> "generator";
            case Undefined u -> "Undefined";
            case Namespace n -> "Namespace";
            case Loop l -> "LoopContext";
            case Macro m -> "Macro";
            case Function f -> "function";
            case Globals.Cycler c -> "Cycler";
            default -> throw new PyError("a value of " + value.getClass() + " cannot be used in a template");
        };
    }

    static boolean isInteger(Object value) {
        return value instanceof Boolean || (value instanceof Number && !isReal(value));
    }

    private static boolean isReal(Object value) {
        return value instanceof Double || value instanceof Float;
    }

    static boolean isNumber(Object value) {
        return value instanceof Boolean || value instanceof Number;
    }

    static boolean isList(Object value) {
        return value instanceof List && !(value instanceof PyTuple) && !(value instanceof PyRange);
    }

    static BigInteger big(Object integer) {
        return switch (integer) {
            case Boolean b -> b ? BigInteger.ONE : BigInteger.ZERO;
            case BigInteger b -> b;
            default -> BigInteger.valueOf(((Number) integer).longValue());
        };
    }

    /** An integer, or the nearest that fits 32 bits: for positions and counts, which are bounded anyway. */
    static int clamp(Object integer) {
        return big(integer)
                .max(BigInteger.valueOf(-Integer.MAX_VALUE))
                .min(BigInteger.valueOf(Integer.MAX_VALUE))
                .intValue();
    }

    static double real(Object number) {
        return number instanceof Boolean b ? (b ? 1 : 0) : ((Number) number).doubleValue();
    }

    static boolean truth(Object value) {
        return switch (value) {
            case null -> false;
            case Boolean b -> b;
            case BigInteger b -> b.signum() != 0;
            case Number n -> n.doubleValue() != 0;
            case String s -> !s.isEmpty();
            case Map<?, ?> m -> !m.isEmpty();
            case List<?> l -> !l.isEmpty();
            case PyView v -> !v.items().isEmpty();
            case Undefined u -> false;
            default -> true;
        };
    }

    static boolean equal(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b) == 0;
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            return typeName(a).equals(typeName(b)) && equalLists(x, y);
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            if (x.size() != y.size()) {
                return false;
            }
            for (Map.Entry<?, ?> entry : x.entrySet()) {
                if (!y.containsKey(entry.getKey()) || !equal(entry.getValue(), y.get(entry.getKey()))) {
                    return false;
                }
            }
            return true;
        }
        return Objects.equals(a, b);
    }

    private static boolean equalLists(List<?> a, List<?> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!equal(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Python's {@code is}, as far as values of this interpreter have an identity. */
    @SuppressWarnings("ReferenceEquality") // identity is what is asked for
    static boolean same(Object a, Object b) {
        if (a instanceof Boolean || b instanceof Boolean) {
            return a instanceof Boolean && a.equals(b);
        }
        return a == b || (isInteger(a) && isInteger(b) && equal(a, b)) || (a instanceof String && a.equals(b));
    }

    /** Order as of {@code operator}, which is named where the two have none. */
    static int compare(Object a, Object b, String operator) {
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof String x && b instanceof String y) {
            return PyString.compare(x, y);
        }
        if (a instanceof List<?> x && b instanceof List<?> y && typeName(a).equals(typeName(b))) {
            for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
                if (!equal(x.get(i), y.get(i))) {
                    return compare(x.get(i), y.get(i), operator);
                }
            }
            return Integer.compare(x.size(), y.size());
        }
        if (a instanceof Undefined u) {
            throw u.error();
        }
        if (b instanceof Undefined u) {
            throw u.error();
        }
        throw new PyError("'" + operator + "' not supported between instances of '" + typeName(a) + "' and '"
                + typeName(b) + "'");
    }

    private static int compareNumbers(Object a, Object b) {
        if (isReal(a) || isReal(b)) {
            double x = real(a);
            double y = real(b);
            if ((isReal(a) && isReal(b)) || !Double.isFinite(x) || !Double.isFinite(y)) {
                return x == y ? 0 : Double.compare(x, y);
            }
            return exact(a).compareTo(exact(b));
        }
        return big(a).compareTo(big(b));
    }

    private static BigDecimal exact(Object number) {
        return isReal(number) ? new BigDecimal(real(number)) : new BigDecimal(big(number));
    }

    static boolean contains(Object container, Object item) {
        return switch (container) {
            case null -> throw notIterable(null);
            case String text -> {
                if (!(item instanceof String part)) {
                    throw new PyError("'in <string>' requires string as left operand, not " + typeName(item));
                }
                yield text.contains(part);
            }
            case Map<?, ?> map -> map.containsKey(key(item));
            default -> {
                Iterator<Object> items = iterate(container);
                boolean found = false;
                while (!found && items.hasNext()) {
                    found = equal(items.next(), item);
                }
                yield found;
            }
        };
    }

    /** The form in which a value is a key of a dict: numbers that are equal are the same key. */
    static Object key(Object value) {
        return switch (value) {
            case Boolean b -> b ? 1L : 0L;
            case Double d when d == Math.rint(d) && Math.abs(d) < 1e15 -> d.longValue();
            case Double d -> d;
            case Float f -> key((Object) f.doubleValue());
            case BigInteger b -> b;
            case Number n -> n.longValue();
            case PyTuple t -> t;
            case List<?> l -> throw new PyError("unhashable type: '" + typeName(l) + "'");
            case Map<?, ?> m -> throw new PyError("unhashable type: 'dict'");
            case null -> null;
            default -> value;
        };
    }

    static Iterator<Object> iterate(Object value) {
        return switch (value) {
            case Generator generator -> generator.iterator();
            case Loop loop -> throw new PyError("'loop' cannot be iterated");
            case null -> throw notIterable(null);
            default -> list(value).iterator();
        };
    }

    /** The elements; of a generator, those that are left. */
    static List<Object> list(Object value) {
        return switch (value) {
            case List<?> list -> cast(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String text -> PyString.characters(text);
            case PyView view -> view.items();
            case Undefined undefined -> List.of();
            case Generator generator -> {
                List<Object> items = new ArrayList<>();
                generator.iterator().forEachRemaining(items::add);
                yield items;
            }
            case null, default -> throw notIterable(value);
        };
    }

    @SuppressWarnings("unchecked") // read only, and everything is an Object
    private static List<Object> cast(List<?> list) {
        return (List<Object>) list;
    }

    static PyError notIterable(Object value) {
        return new PyError("'" + typeName(value) + "' object is not iterable");
    }

    static boolean isSized(Object value) {
        return value instanceof String
                || value instanceof Map
                || value instanceof List
                || value instanceof PyView
                || value instanceof Undefined
                || value instanceof Loop;
    }

    static long length(Object value) {
        return switch (value) {
            case String text -> text.codePointCount(0, text.length());
            case Map<?, ?> map -> map.size();
            case List<?> list -> list.size();
            case PyView view -> view.items().size();
            case Undefined undefined -> 0;
            case Loop loop -> loop.length();
            case null, default -> throw new PyError("object of type '" + typeName(value) + "' has no len()");
        };
    }
}
