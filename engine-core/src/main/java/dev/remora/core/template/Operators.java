package dev.remora.core.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic: integers without bounds, floor division, {@code +} and {@code *} of strings and lists. */
final class Operators {
    private static final BigInteger LONG_MIN = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);

    private Operators() {}

    static Object apply(String operator, Object a, Object b) {
        if (a instanceof Undefined u) {
            throw u.error();
        }
        if (operator.equals("%") && a instanceof String format) {
            return PyFormat.percent(format, b);
        }
        if (b instanceof Undefined u) {
            throw u.error();
        }
        if (Values.isNumber(a) && Values.isNumber(b)) {
            return Values.isInteger(a) && Values.isInteger(b)
                    ? integers(operator, a, b)
                    : reals(operator, Values.real(a), Values.real(b));
        }
        return switch (operator) {
            case "+" -> add(a, b);
            case "*" -> Values.isInteger(a) ? repeat(b, a) : repeat(a, b);
            default -> throw unsupported(operator, a, b);
        };
    }

    /** The value as a Long if it fits. */
    static Object normal(BigInteger value) {
        if (value.bitLength() > Limits.BITS) {
            throw new PyError("the integer grows beyond " + Limits.BITS + " bits");
        }
        return value.compareTo(LONG_MIN) >= 0 && value.compareTo(LONG_MAX) <= 0 ? (Object) value.longValue() : value;
    }

    private static Object integers(String operator, Object left, Object right) {
        BigInteger a = Values.big(left);
        BigInteger b = Values.big(right);
        boolean divides = operator.equals("/") || operator.equals("//") || operator.equals("%");
        if (divides && b.signum() == 0) {
            throw new PyError(operator.equals("/") ? "division by zero" : "integer division or modulo by zero");
        }
        return switch (operator) {
            case "+" -> normal(a.add(b));
            case "-" -> normal(a.subtract(b));
            case "*" -> normal(a.multiply(b));
            case "/" -> a.doubleValue() / b.doubleValue();
            case "//" -> normal(floorDivide(a, b));
            case "%" -> normal(a.subtract(floorDivide(a, b).multiply(b)));
            case "**" -> power(a, b);
            default -> throw new IllegalStateException(operator);
        };
    }

    private static BigInteger floorDivide(BigInteger a, BigInteger b) {
        BigInteger[] parts = a.divideAndRemainder(b);
        boolean down = parts[1].signum() != 0 && parts[1].signum() != b.signum();
        return down ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static Object power(BigInteger a, BigInteger b) {
        if (b.signum() < 0) {
            return reals("**", a.doubleValue(), b.doubleValue());
        }
        if (a.bitLength() <= 1 && b.bitLength() > 31) {
            return normal(a.signum() < 0 && !b.testBit(0) ? BigInteger.ONE : a);
        }
        if (b.bitLength() > 31 || (long) Math.max(a.bitLength() - 1, 0) * b.intValue() > Limits.BITS) {
            throw new PyError("the integer grows beyond " + Limits.BITS + " bits");
        }
        return normal(a.pow(b.intValue()));
    }

    private static Object reals(String operator, double a, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new PyError("float division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor((a - modulo(a, b)) / b + 0.5);
            case "%" -> modulo(a, b);
            case "**" -> {
                if (a == 0 && b < 0) {
                    throw new PyError("0.0 cannot be raised to a negative power");
                }
                yield Math.pow(a, b);
            }
            default -> throw new IllegalStateException(operator);
        };
    }

    private static double modulo(double a, double b) {
        double rest = a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }

    private static Object add(Object a, Object b) {
        if (a instanceof String x && b instanceof String y) {
            Limits.text((long) x.length() + y.length());
            return x + y;
        }
        boolean tuples = a instanceof PyTuple && b instanceof PyTuple;
        if (tuples || (Values.isList(a) && Values.isList(b))) {
            List<?> x = (List<?>) a;
            List<?> y = (List<?>) b;
            List<Object> sum = new ArrayList<>(Limits.items((long) x.size() + y.size()));
            sum.addAll(x);
            sum.addAll(y);
            return tuples ? PyTuple.copyOf(sum) : sum;
        }
        if (a instanceof String) {
            throw new PyError("can only concatenate str (not \"" + Values.typeName(b) + "\") to str");
        }
        if (Values.isList(a)) {
            throw new PyError("can only concatenate list (not \"" + Values.typeName(b) + "\") to list");
        }
        throw unsupported("+", a, b);
    }

    private static Object repeat(Object sequence, Object times) {
        if (!Values.isInteger(times)) {
            throw sequence instanceof String || sequence instanceof List
                    ? new PyError("can't multiply sequence by non-int of type '" + Values.typeName(times) + "'")
                    : unsupported("*", sequence, times);
        }
        int count = Math.max(0, Values.clamp(times));
        if (sequence instanceof String text) {
            Limits.text((long) text.length() * count);
            return text.repeat(count);
        }
        if (sequence instanceof PyTuple || Values.isList(sequence)) {
            List<?> items = (List<?>) sequence;
            List<Object> all = new ArrayList<>(Limits.items((long) items.size() * count));
            for (int i = 0; i < count && !items.isEmpty(); i++) {
                all.addAll(items);
            }
            return sequence instanceof PyTuple ? PyTuple.copyOf(all) : all;
        }
        throw unsupported("*", sequence, times);
    }

    static Object sign(boolean negative, Object value) {
        if (value instanceof Undefined u) {
            throw u.error();
        }
        if (!Values.isNumber(value)) {
            throw new PyError(
                    "bad operand type for unary " + (negative ? "-" : "+") + ": '" + Values.typeName(value) + "'");
        }
        if (Values.isInteger(value)) {
            BigInteger integer = Values.big(value);
            return normal(negative ? integer.negate() : integer);
        }
        return negative ? -Values.real(value) : Values.real(value);
    }

    private static PyError unsupported(String operator, Object a, Object b) {
        String shown = operator.equals("**") ? "** or pow()" : operator;
        return new PyError("unsupported operand type(s) for " + shown + ": '" + Values.typeName(a) + "' and '"
                + Values.typeName(b) + "'");
    }
}
