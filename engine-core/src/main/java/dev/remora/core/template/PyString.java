package dev.remora.core.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Strings as Python sees them: sequences of code points. Positions in and out of here count code points. */
final class PyString {
    private PyString() {}

    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    static boolean isBlank(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if (!isSpace(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    static List<Object> characters(String text) {
        List<Object> characters = new ArrayList<>(text.length());
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        return characters;
    }

    static int compare(String a, String b) {
        int n = Math.min(a.length(), b.length());
        for (int i = 0; i < n; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // Surrogates stand for code points above those of any other char.
                boolean sx = Character.isSurrogate(x);
                boolean sy = Character.isSurrogate(y);
                return sx == sy ? Character.compare(x, y) : sx ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /** {@code chars} null: white space. */
    static String strip(String text, String chars, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && strips(text.codePointAt(start), chars)) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (right && end > start && strips(text.codePointBefore(end), chars)) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    private static boolean strips(int c, String chars) {
        return chars == null ? isSpace(c) : chars.indexOf(c) >= 0;
    }

    /** {@code separator} null: runs of white space. {@code limit} below 0: no limit of the number of cuts. */
    static List<Object> split(String text, String separator, int limit) {
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            String rest = strip(text, null, true, false);
            while (!rest.isEmpty()) {
                if (limit >= 0 && parts.size() == limit) {
                    parts.add(rest);
                    break;
                }
                int end = 0;
                while (end < rest.length() && !isSpace(rest.charAt(end))) {
                    end++;
                }
                parts.add(rest.substring(0, end));
                rest = strip(rest.substring(end), null, true, false);
            }
            return parts;
        }
        requireSeparator(separator);
        int start = 0;
        for (int cut; (limit < 0 || parts.size() < limit) && (cut = text.indexOf(separator, start)) >= 0; ) {
            parts.add(text.substring(start, cut));
            start = cut + separator.length();
        }
        parts.add(text.substring(start));
        return parts;
    }

    /** As {@link #split}, the cuts counted from the end. */
    static List<Object> splitRight(String text, String separator, int limit) {
        if (limit < 0) {
            return split(text, separator, -1);
        }
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            String rest = strip(text, null, false, true);
            while (!rest.isEmpty()) {
                if (parts.size() == limit) {
                    parts.addFirst(rest);
                    break;
                }
                int start = rest.length();
                while (start > 0 && !isSpace(rest.charAt(start - 1))) {
                    start--;
                }
                parts.addFirst(rest.substring(start));
                rest = strip(rest.substring(0, start), null, false, true);
            }
            return parts;
        }
        requireSeparator(separator);
        String rest = text;
        for (int cut; parts.size() < limit && (cut = rest.lastIndexOf(separator)) >= 0; rest = rest.substring(0, cut)) {
            parts.addFirst(rest.substring(cut + separator.length()));
        }
        parts.addFirst(rest);
        return parts;
    }

    private static void requireSeparator(String separator) {
        if (separator.isEmpty()) {
            throw new PyError("empty separator");
        }
    }

    static List<Object> lines(String text, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean ends =
                    (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
            if (ends) {
                int next = c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n' ? i + 2 : i + 1;
                lines.add(text.substring(start, keepEnds ? next : i));
                start = next;
                i = next - 1;
            }
        }
        if (start < text.length()) {
            lines.add(text.substring(start));
        }
        return lines;
    }

    /** {@code count} below 0: all. */
    static String replace(String text, String old, String with, int count) {
        StringBuilder out = new StringBuilder();
        int done = 0;
        int start = 0;
        if (old.isEmpty()) {
            while (start <= text.length() && (count < 0 || done < count)) {
                out.append(with);
                Limits.text(out.length());
                done++;
                if (start == text.length()) {
                    return out.toString();
                }
                int next = text.offsetByCodePoints(start, 1);
                out.append(text, start, next);
                start = next;
            }
            return out.append(text, start, text.length()).toString();
        }
        for (int cut; (count < 0 || done < count) && (cut = text.indexOf(old, start)) >= 0; done++) {
            out.append(text, start, cut).append(with);
            Limits.text(out.length());
            start = cut + old.length();
        }
        return out.append(text, start, text.length()).toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return Character.toString(Character.toTitleCase(text.codePointAt(0)))
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    /** Fills up to {@code width} code points, to the left and right of the text as its method asks. */
    static String pad(String text, int width, String fill, boolean left, boolean right) {
        if (fill.codePointCount(0, fill.length()) != 1) {
            throw new PyError("the fill character must be exactly one character long");
        }
        int missing = width - text.codePointCount(0, text.length());
        if (missing <= 0) {
            return text;
        }
        Limits.text(width);
        // CPython's rule for the odd one.
        int before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0;
        return fill.repeat(before) + text + fill.repeat(missing - before);
    }

    /** The content of a string literal. */
    static String unescape(String literal) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < literal.length(); i++) {
            char c = literal.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char kind = literal.charAt(++i);
            int simple = "\\'\"abfnrtv".indexOf(kind);
            if (simple >= 0) {
                out.append("\\'\"\u0007\b\f\n\r\t\u000b".charAt(simple));
            } else if (kind == 'x' || kind == 'u' || kind == 'U') {
                int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
                out.appendCodePoint(hex(literal, i + 1, digits));
                i += digits;
            } else if (kind >= '0' && kind <= '7') {
                int code = 0;
                int end = Math.min(i + 3, literal.length());
                for (; i < end && literal.charAt(i) >= '0' && literal.charAt(i) <= '7'; i++) {
                    code = code * 8 + literal.charAt(i) - '0';
                }
                i--;
                out.appendCodePoint(code);
            } else if (kind == 'N') {
                throw new PyError("the escape \\N{...} is not supported; write the character or \\u and its code");
            } else if (kind != '\n') {
                out.append('\\').append(kind);
            }
        }
        return out.toString();
    }

    private static int hex(String literal, int from, int digits) {
        int code = 0;
        for (int i = from; i < from + digits; i++) {
            int digit = i < literal.length() ? Character.digit(literal.charAt(i), 16) : -1;
            if (digit < 0) {
                throw new PyError("an escape in the string needs " + digits + " hexadecimal digits");
            }
            code = code * 16 + digit;
        }
        if (!Character.isValidCodePoint(code)) {
            throw new PyError("an escape in the string names no character");
        }
        return code;
    }
}
