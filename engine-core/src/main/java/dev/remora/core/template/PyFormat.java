package dev.remora.core.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways of formatting: {@code "%s" % x} and {@code "{}".format(x)}. */
final class PyFormat {
    private static final Pattern PERCENT =
            Pattern.compile("%(?:\\(([^)]*)\\))?([-+ 0#]*)(\\d+|\\*)?(?:\\.(\\d+))?[hlL]?(.)", Pattern.DOTALL);
    private static final Pattern SPEC = Pattern.compile(
            "(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\\d+)?([,_])?(?:\\.(\\d+))?([a-zA-Z%])?", Pattern.DOTALL);

    private PyFormat() {}

    /** {@code format % values}. */
    static String percent(String format, Object values) {
        List<?> arguments = values instanceof PyTuple tuple ? tuple : PyTuple.of(values);
        StringBuilder out = new StringBuilder();
        int next = 0;
        int at = 0;
        Matcher field = PERCENT.matcher(format);
        for (int sign; (sign = format.indexOf('%', at)) >= 0; at = field.end()) {
            out.append(format, at, sign);
            if (!field.region(sign, format.length()).lookingAt()) {
                throw new PyError("incomplete format");
            }
            if (field.group(5).equals("%")) {
                out.append('%');
                continue;
            }
            Object value;
            if (field.group(1) != null) {
                if (!(values instanceof Map<?, ?> map)) {
                    throw new PyError("format requires a mapping");
                }
                if (!map.containsKey(field.group(1))) {
                    throw new PyError("the format's key " + Repr.repr(field.group(1)) + " is missing");
                }
                value = map.get(field.group(1));
            } else if ("*".equals(field.group(3)) || next >= arguments.size()) {
                throw new PyError("not enough arguments for format string");
            } else {
                value = arguments.get(next++);
            }
            out.append(percentField(field, value));
            Limits.text(out.length());
        }
        if (next < arguments.size() && !(values instanceof Map)) {
            throw new PyError("not all arguments converted during string formatting");
        }
        return out.append(format, at, format.length()).toString();
    }

    private static String percentField(Matcher field, Object value) {
        String flags = field.group(2);
        int precision = field.group(4) == null ? -1 : number(field.group(4));
        char kind = field.group(5).charAt(0);
        String body = switch (kind) {
            case 's' -> cut(Repr.str(value), precision);
            case 'r' -> cut(Repr.repr(value), precision);
            case 'd', 'i', 'u' -> {
                if (!Values.isNumber(value)) {
                    throw new PyError("%" + kind + " format: a real number is required, not " + Values.typeName(value));
                }
                yield NumberFilters.truncate(value).toString();
            }
            case 'x', 'X', 'o' -> radix(kind, value);
            case 'f', 'F', 'e', 'E', 'g', 'G' -> real(kind, value, precision < 0 ? 6 : precision);
            default -> throw new PyError("unsupported format character '" + kind + "'");
        };
        boolean numeric = kind != 's' && kind != 'r';
        if (numeric && !body.startsWith("-") && (flags.contains("+") || flags.contains(" "))) {
            body = (flags.contains("+") ? "+" : " ") + body;
        }
        int width = field.group(3) == null ? 0 : number(field.group(3));
        if (flags.contains("-")) {
            return PyString.pad(body, width, " ", false, true);
        }
        return numeric && flags.contains("0") ? zeros(body, width) : PyString.pad(body, width, " ", true, false);
    }

    /** {@code format.format(...)}. */
    static String braces(String format, Args args) {
        StringBuilder out = new StringBuilder();
        int[] next = {0};
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            boolean twice = i + 1 < format.length() && format.charAt(i + 1) == c;
            if ((c == '{' || c == '}') && twice) {
                out.append(c);
                i++;
            } else if (c == '{') {
                int end = format.indexOf('}', i);
                if (end < 0 || format.substring(i + 1, end).indexOf('{') >= 0) {
                    throw new PyError("format(): a field is not closed, or has fields inside");
                }
                out.append(bracesField(format.substring(i + 1, end), args, next));
                Limits.text(out.length());
                i = end;
            } else if (c == '}') {
                throw new PyError("format(): single '}' encountered in format string");
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static String bracesField(String field, Args args, int[] next) {
        int colon = field.indexOf(':');
        String spec = colon < 0 ? "" : field.substring(colon + 1);
        String name = colon < 0 ? field : field.substring(0, colon);
        boolean repr = name.endsWith("!r");
        if (repr || name.endsWith("!s")) {
            name = name.substring(0, name.length() - 2);
        }
        int end = 0;
        while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
            end++;
        }
        String first = name.substring(0, end);
        Object value;
        if (first.isEmpty() || first.chars().allMatch(Character::isDigit)) {
            int position = first.isEmpty() ? next[0]++ : number(first);
            if (position >= args.positional().size()) {
                throw new PyError("format(): there is no argument " + position);
            }
            value = args.positional().get(position);
        } else if (args.named().containsKey(first)) {
            value = args.named().get(first);
        } else {
            throw new PyError("format(): there is no argument '" + first + "'");
        }
        for (String part : name.substring(end).split("[.\\[]", -1)) {
            if (!part.isEmpty()) {
                String key = part.endsWith("]") ? part.substring(0, part.length() - 1) : part;
                boolean index = !key.isEmpty() && key.chars().allMatch(Character::isDigit);
                value = index ? Attributes.item(value, (long) number(key)) : Attributes.item(value, key);
            }
        }
        return spec(repr ? Repr.repr(value) : value, spec);
    }

    /** {@code format(value, spec)}. */
    static String spec(Object value, String spec) {
        if (spec.isEmpty()) {
            return Repr.str(value);
        }
        Matcher m = SPEC.matcher(spec);
        if (!m.matches()) {
            throw new PyError("invalid format specifier '" + spec + "'");
        }
        boolean numeric = Values.isNumber(value);
        int precision = m.group(8) == null ? -1 : number(m.group(8));
        char kind = m.group(9) == null ? ' ' : m.group(9).charAt(0);
        String body;
        if (!numeric) {
            if (kind != ' ' && kind != 's') {
                throw new PyError(
                        "unknown format code '" + kind + "' for object of type '" + Values.typeName(value) + "'");
            }
            body = cut(Repr.str(value), precision);
        } else {
            body = switch (kind) {
                case ' ' -> plain(value, precision);
                case 'd' -> integer(kind, value).toString();
                case 'x', 'X', 'o', 'b' -> radix(kind, value);
                case '%' -> real('f', Values.real(value) * 100, precision < 0 ? 6 : precision) + "%";
                case 'f', 'F', 'e', 'E', 'g', 'G' -> real(kind, value, precision < 0 ? 6 : precision);
                default ->
                    throw new PyError(
                            "unknown format code '" + kind + "' for object of type '" + Values.typeName(value) + "'");
            };
            if (m.group(7) != null) {
                body = grouped(body, m.group(7));
            }
            if (m.group(3) != null && !m.group(3).equals("-") && !body.startsWith("-")) {
                body = m.group(3) + body;
            }
        }
        int width = m.group(6) == null ? 0 : number(m.group(6));
        if (m.group(5) != null && m.group(2) == null && numeric) {
            return zeros(body, width);
        }
        String align = m.group(2) == null ? (numeric ? ">" : "<") : m.group(2);
        String fill = m.group(1) == null ? " " : m.group(1);
        if (align.equals("^")) {
            int length = body.codePointCount(0, body.length());
            body = PyString.pad(body, length + Math.max(0, width - length) / 2, fill, true, false);
        }
        return PyString.pad(body, width, fill, align.equals(">"), !align.equals(">"));
    }

    private static String plain(Object number, int precision) {
        if (Values.isInteger(number)) {
            return Values.big(number).toString();
        }
        String text = precision < 0 ? Repr.str(number) : real('g', number, precision);
        return text.chars().allMatch(c -> c == '-' || Character.isDigit(c)) ? text + ".0" : text;
    }

    private static String grouped(String body, String separator) {
        int start = body.startsWith("-") ? 1 : 0;
        int end = start;
        while (end < body.length() && Character.isDigit(body.charAt(end))) {
            end++;
        }
        StringBuilder out = new StringBuilder(body);
        for (int i = end - 3; i > start; i -= 3) {
            out.insert(i, separator);
        }
        return out.toString();
    }

    private static String zeros(String body, int width) {
        boolean signed = !body.isEmpty() && "+- ".indexOf(body.charAt(0)) >= 0;
        Limits.text(width);
        return body.substring(0, signed ? 1 : 0)
                + "0".repeat(Math.max(0, width - body.length()))
                + body.substring(signed ? 1 : 0);
    }

    static String zeroFill(String text, int width) {
        int length = text.codePointCount(0, text.length());
        Limits.text(width);
        return zeros(text, width + text.length() - length);
    }

    private static BigInteger integer(char kind, Object value) {
        if (!Values.isInteger(value)) {
            throw new PyError("unknown format code '" + kind + "' for object of type '" + Values.typeName(value) + "'");
        }
        return Values.big(value);
    }

    private static String radix(char kind, Object value) {
        String digits = integer(kind, value).toString(kind == 'o' ? 8 : kind == 'b' ? 2 : 16);
        return kind == 'X' ? digits.toUpperCase(Locale.ROOT) : digits;
    }

    static String real(char kind, Object value, int precision) {
        if (!Values.isNumber(value)) {
            throw new PyError("must be real number, not " + Values.typeName(value));
        }
        double number = Values.real(value);
        if (!Double.isFinite(number)) {
            return Repr.real(number);
        }
        Limits.text(precision);
        BigDecimal exact = new BigDecimal(number);
        String sign = number < 0 || (number == 0 && 1 / number < 0) ? "-" : "";
        String text = sign
                + switch (Character.toLowerCase(kind)) {
                    case 'f' ->
                        exact.abs().setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
                    case 'e' -> scientific(exact.abs(), precision);
                    default -> general(exact.abs(), Math.max(1, precision));
                };
        return Character.isUpperCase(kind) ? text.toUpperCase(Locale.ROOT) : text;
    }

    private static String scientific(BigDecimal value, int precision) {
        BigDecimal rounded = value.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        String digits = rounded.unscaledValue().toString();
        int exponent = value.signum() == 0 ? 0 : digits.length() - rounded.scale() - 1;
        digits = digits.length() > precision
                ? digits.substring(0, precision + 1)
                : digits + "0".repeat(precision + 1 - digits.length());
        return digits.charAt(0) + (precision > 0 ? "." + digits.substring(1) : "") + "e" + (exponent < 0 ? "-" : "+")
                + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }

    private static String general(BigDecimal value, int precision) {
        if (value.signum() == 0) {
            return "0";
        }
        BigDecimal rounded =
                value.round(new MathContext(precision, RoundingMode.HALF_EVEN)).stripTrailingZeros();
        int exponent = rounded.precision() - rounded.scale() - 1;
        return exponent < -4 || exponent >= precision
                ? scientific(rounded, rounded.precision() - 1)
                : rounded.toPlainString();
    }

    private static String cut(String text, int precision) {
        return precision < 0 || precision >= text.codePointCount(0, text.length())
                ? text
                : text.substring(0, text.offsetByCodePoints(0, precision));
    }

    private static int number(String digits) {
        return digits.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    }
}
