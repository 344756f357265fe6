package dev.remora.core.template;

import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** Jinja's tests by name: what stands behind {@code is}. */
final class Conditions {
    private static final Map<String, Test> ALL = Map.ofEntries(
            of("defined", v -> !(v instanceof Undefined)),
            of("undefined", v -> v instanceof Undefined),
            of("none", v -> v == null),
            of("string", v -> v instanceof String),
            of("number", Values::isNumber),
            of("integer", v -> Values.isInteger(v) && !(v instanceof Boolean)),
            of("float", v -> v instanceof Double || v instanceof Float),
            of("boolean", v -> v instanceof Boolean),
            of("true", v -> v instanceof Boolean b && b),
            of("false", v -> v instanceof Boolean b && !b),
            of("mapping", v -> v instanceof Map),
            of("sequence", v -> v instanceof String || v instanceof List || v instanceof Map || v instanceof Undefined),
            of("iterable", v -> Values.isSized(v) || v instanceof Generator),
            of("callable", v -> v instanceof Function || v instanceof Undefined),
            of("escaped", v -> false),
            of("lower", v -> StringMethods.isLower(Repr.str(v))),
            of("upper", v -> StringMethods.isUpper(Repr.str(v))),
            of("odd", v -> Values.equal(Operators.apply("%", v, 2L), 1L)),
            of("even", v -> Values.equal(Operators.apply("%", v, 2L), 0L)),
            of("filter", v -> v instanceof String name && Filters.has(name)),
            of("test", v -> v instanceof String name && has(name)),
            with("divisibleby", (v, n) -> Values.equal(Operators.apply("%", v, n), 0L)),
            with("sameas", Values::same),
            with("in", (v, container) -> Values.contains(container, v)),
            with("eq", Values::equal),
            with("==", Values::equal),
            with("equalto", Values::equal),
            with("ne", (v, w) -> !Values.equal(v, w)),
            with("!=", (v, w) -> !Values.equal(v, w)),
            ordered("gt", ">", c -> c > 0),
            ordered(">", ">", c -> c > 0),
            ordered("greaterthan", ">", c -> c > 0),
            ordered("ge", ">=", c -> c >= 0),
            ordered(">=", ">=", c -> c >= 0),
            ordered("lt", "<", c -> c < 0),
            ordered("<", "<", c -> c < 0),
            ordered("lessthan", "<", c -> c < 0),
            ordered("le", "<=", c -> c <= 0),
            ordered("<=", "<=", c -> c <= 0));

    private Conditions() {}

    /** A test of a value, with arguments. */
    @FunctionalInterface
    interface Test {
        boolean holds(Object value, Args args);
    }

    static boolean has(String name) {
        return ALL.containsKey(name);
    }

    static Test named(String name) {
        Test test = ALL.get(name);
        if (test == null) {
            throw new PyError("no test named '" + name + "'");
        }
        return test;
    }

    /** Whether {@code a operator b} holds. */
    static boolean compare(String operator, Object a, Object b) {
        return switch (operator) {
            case "in" -> Values.contains(b, a);
            case "not in" -> !Values.contains(b, a);
            default -> named(operator).holds(a, Args.of(b));
        };
    }

    private static Map.Entry<String, Test> of(String name, Predicate<Object> test) {
        return Map.entry(name, (value, args) -> {
            args.bind(name, 0);
            return test.test(value);
        });
    }

    private static Map.Entry<String, Test> with(String name, BiPredicate<Object, Object> test) {
        return Map.entry(
                name,
                (value, args) -> test.test(value, args.bind(name, 1, "other").get(0)));
    }

    private static Map.Entry<String, Test> ordered(String name, String operator, IntPredicate test) {
        return with(name, (a, b) -> {
            boolean nan = (isNan(a) && Values.isNumber(b)) || (isNan(b) && Values.isNumber(a));
            return !nan && test.test(Values.compare(a, b, operator));
        });
    }

    private static boolean isNan(Object value) {
        return value instanceof Double d && d.isNaN();
    }
}
