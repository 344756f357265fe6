package dev.remora.core.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's {@code str()} and {@code repr()}. */
final class Repr {
    private Repr() {}

    static String str(Object value) {
        return switch (value) {
            case String text -> text;
            case Undefined undefined -> "";
            case null, default -> repr(value);
        };
    }

    static String repr(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        // Values share parts, so a small one can print as a text without bounds.
        Limits.text(out.length());
        switch (value) {
            case null -> out.append("None");
            case Boolean b -> out.append(b ? "True" : "False");
            case String text -> quote(text, out);
            case Double d -> out.append(real(d));
            case Float f -> out.append(real(f));
            case PyRange range -> out.append(range);
            case PyTuple tuple -> items(tuple, "(", tuple.size() == 1 ? ",)" : ")", out);
            case List<?> list -> items(list, "[", "]", out);
            case Map<?, ?> map -> pairs(map, out);
            case PyView view -> items(view.items(), view.kind() + "([", "])", out);
            case Undefined undefined -> out.append("Undefined");
            case Namespace namespace -> {
                out.append("<Namespace ");
                pairs(namespace.attributes(), out);
                out.append('>');
            }
            case Macro macro -> out.append("<Macro ").append(repr(macro.name())).append('>');
            case Loop loop ->
                out.append("<LoopContext ")
                        .append(loop.index0() + 1)
                        .append('/')
                        .append(loop.length())
                        .append('>');
            case Number number -> out.append(number);
            default -> out.append('<').append(Values.typeName(value)).append(" object>");
        }
    }

    private static void items(List<?> items, String open, String close, StringBuilder out) {
        out.append(open);
        for (int i = 0; i < items.size(); i++) {
            out.append(i == 0 ? "" : ", ");
            write(items.get(i), out);
        }
        out.append(close);
    }

    private static void pairs(Map<?, ?> map, StringBuilder out) {
        out.append('{');
        for (Iterator<? extends Map.Entry<?, ?>> it = map.entrySet().iterator(); it.hasNext(); ) {
            Map.Entry<?, ?> entry = it.next();
            write(entry.getKey(), out);
            out.append(": ");
            write(entry.getValue(), out);
            out.append(it.hasNext() ? ", " : "");
        }
        out.append('}');
    }

    private static void quote(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(
                                c < 0x100
                                        ? "\\x%02x".formatted(c)
                                        : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c));
                    }
                }
            }
        });
        out.append(quote);
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /** The shortest digits that read back as the same double; exponents from 1e16 and below 1e-4. */
    static String real(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        if (decimal.precision() == 2) {
            // Java prints two digits even where one is enough: 4.9E-324.
            BigDecimal shorter = decimal.round(new MathContext(1, RoundingMode.HALF_EVEN));
            decimal = shorter.doubleValue() == value ? shorter : decimal;
        }
        String digits = decimal.unscaledValue().abs().toString();
        int exponent = digits.length() - decimal.scale() - 1;
        String sign = value < 0 ? "-" : "";
        if (exponent < -4 || exponent >= 16) {
            String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
            return sign + digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+")
                    + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
        }
        String plain = decimal.toPlainString();
        return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
}
