package dev.remora.core.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** The filters that make or take numbers, and {@code default}. */
final class NumberFilters {
    private static final Pattern REAL =
            Pattern.compile("[+-]?(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)([eE][+-]?\\d+(_\\d+)*)?");
    private static final Pattern DIGITS = Pattern.compile("[0-9a-zA-Z]+(_[0-9a-zA-Z]+)*");

    private NumberFilters() {}

    static Map<String, Filter> all() {
        return Map.of(
                "int", NumberFilters::toInteger,
                "float", NumberFilters::toReal,
                "abs", NumberFilters::abs,
                "round", NumberFilters::round,
                "default", NumberFilters::orDefault,
                "d", NumberFilters::orDefault,
                "filesizeformat", NumberFilters::fileSize);
    }

    private static Object orDefault(Object value, Args args) {
        Args.Bound a = args.bind("default", 0, "default_value", "boolean");
        return value instanceof Undefined || (a.flag(1) && !Values.truth(value)) ? a.get(0, "") : value;
    }

    private static Object toInteger(Object value, Args args) {
        Args.Bound a = args.bind("int", 0, "default", "base");
        Object fallback = a.get(0, 0L);
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (value instanceof String text) {
            Object parsed = parse(text, a.integer(1, 10));
            if (parsed == null) {
                Double real = parseReal(text);
                parsed = real == null || !Double.isFinite(real) ? fallback : Operators.normal(truncate(real));
            }
            return parsed;
        }
        if (!Values.isNumber(value) || (!Values.isInteger(value) && !Double.isFinite(Values.real(value)))) {
            return fallback;
        }
        return Operators.normal(truncate(value));
    }

    /** Python's {@code int(number)}. */
    static BigInteger truncate(Object number) {
        if (Values.isInteger(number)) {
            return Values.big(number);
        }
        double real = Values.real(number);
        if (!Double.isFinite(real)) {
            throw new PyError("cannot convert float " + (Double.isNaN(real) ? "NaN" : "infinity") + " to integer");
        }
        return new BigDecimal(real).toBigInteger();
    }

    private static Object parse(String text, int base) {
        if (base != 0 && (base < 2 || base > 36)) {
            return null;
        }
        String digits = PyString.strip(text, null, true, true);
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        String prefix = digits.substring(0, Math.min(2, digits.length())).toLowerCase(Locale.ROOT);
        int named = switch (prefix) {
            case "0x" -> 16;
            case "0o" -> 8;
            case "0b" -> 2;
            default -> 0;
        };
        if (named != 0 && (base == 0 || base == named)) {
            digits = digits.substring(2);
        }
        int radix = base != 0 ? base : named != 0 ? named : 10;
        if (!DIGITS.matcher(digits).matches()
                || digits.length() > 4300
                || !digits.replace("_", "").chars().allMatch(c -> Character.digit(c, radix) >= 0)) {
            return null;
        }
        BigInteger value = new BigInteger(digits.replace("_", ""), radix);
        return Operators.normal(negative ? value.negate() : value);
    }

    private static Double parseReal(String text) {
        String trimmed = PyString.strip(text, null, true, true);
        if (REAL.matcher(trimmed).matches()) {
            return Double.valueOf(trimmed.replace("_", ""));
        }
        String name = trimmed.toLowerCase(Locale.ROOT);
        boolean negative = name.startsWith("-");
        return switch (negative || name.startsWith("+") ? name.substring(1) : name) {
            case "inf", "infinity" -> negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
            case "nan" -> Double.NaN;
            default -> null;
        };
    }

    private static Object toReal(Object value, Args args) {
        Object fallback = args.bind("float", 0, "default").get(0, 0.0);
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (value instanceof String text) {
            Double real = parseReal(text);
            return real == null ? fallback : real;
        }
        return Values.isNumber(value) ? (Object) Values.real(value) : fallback;
    }

    private static Object abs(Object value, Args args) {
        args.bind("abs", 0);
        if (!Values.isNumber(value)) {
            throw new PyError("bad operand type for abs(): '" + Values.typeName(value) + "'");
        }
        return Values.isInteger(value) ? Operators.normal(Values.big(value).abs()) : Math.abs(Values.real(value));
    }

    private static Object round(Object value, Args args) {
        Args.Bound a = args.bind("round", 0, "precision", "method");
        int precision = a.integer(0, 0);
        String method = a.string(1, "common");
        if (!Values.isNumber(value)) {
            throw value instanceof Undefined undefined
                    ? undefined.error()
                    : new PyError("type " + Values.typeName(value) + " doesn't define __round__ method");
        }
        boolean common = method.equals("common");
        if (!common && !method.equals("ceil") && !method.equals("floor")) {
            throw new PyError("method must be common, ceil or floor");
        }
        if (Values.isInteger(value) && common) {
            return precision >= 0 ? Operators.normal(Values.big(value)) : roundBelow(value, precision);
        }
        double real = Values.real(value);
        if (!Double.isFinite(real) || (precision > 400 && common)) {
            return real;
        }
        if (common) {
            // From 10^309 on, every double rounds to 0.
            return new BigDecimal(real)
                    .setScale(Math.max(precision, -309), RoundingMode.HALF_EVEN)
                    .doubleValue();
        }
        Object scale = Operators.apply("**", 10L, (long) precision);
        double scaled = real * Values.real(scale);
        return (method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) / Values.real(scale);
    }

    private static Object roundBelow(Object integer, int precision) {
        BigInteger value = Values.big(integer);
        int scale = Math.max(precision, -value.toString().length() - 1);
        return Operators.normal(
                new BigDecimal(value).setScale(scale, RoundingMode.HALF_EVEN).toBigInteger());
    }

    private static Object fileSize(Object value, Args args) {
        boolean binary = args.bind("filesizeformat", 0, "binary").flag(0);
        if (!Values.isNumber(value)) {
            throw new PyError("filesizeformat takes a number, not " + Values.typeName(value));
        }
        double bytes = Values.real(value);
        int base = binary ? 1024 : 1000;
        if (bytes == 1) {
            return "1 Byte";
        }
        if (bytes < base) {
            return (long) bytes + " Bytes";
        }
        String prefixes = binary ? "KMGTPEZY" : "kMGTPEZY";
        double unit = base;
        int i = 0;
        for (; i < prefixes.length() - 1 && bytes >= unit * base; i++) {
            unit *= base;
        }
        return PyFormat.real('f', bytes / unit, 1) + " " + prefixes.charAt(i) + (binary ? "iB" : "B");
    }
}
