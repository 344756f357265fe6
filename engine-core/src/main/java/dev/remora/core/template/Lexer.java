package dev.remora.core.template;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, with {@code trim_blocks} (the newline after a block tag goes) and {@code lstrip_blocks}
 * (so do the blanks before one that starts a line).
 */
final class Lexer {
    private static final int FLAGS = Pattern.DOTALL | Pattern.UNICODE_CHARACTER_CLASS;
    private static final Pattern RAW = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(?:-%}\\s*|%})", FLAGS);
    private static final Pattern END_RAW =
            Pattern.compile("(.*?)\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)", FLAGS);
    private static final Pattern FLOAT = Pattern.compile(
            "(?<!\\.)(?:[0-9]+_)*[0-9]+(?:(?:\\.(?:[0-9]+_)*[0-9]+)?[eE][+-]?(?:[0-9]+_)*[0-9]+|\\.(?:[0-9]+_)*[0-9]+)");
    private static final Pattern INTEGER =
            Pattern.compile("0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?[0-9])*|0(?:_?0)*");
    private static final Pattern NAME = Pattern.compile("\\w+", FLAGS);
    private static final Set<String> LONG_OPERATORS = Set.of("//", "**", "==", "!=", ">=", "<=");
    private static final String OPERATORS = "+-/*%~[](){}><=.:|,;";

    private final String text;
    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private final Deque<Character> open = new ArrayDeque<>();
    private int at;
    private int line = 1;
    private int counted; // newlines before this offset are in line
    private boolean lineStarting = true;

    private Lexer(String template, String source) {
        String unix = template.replace("\r\n", "\n").replace('\r', '\n');
        this.text = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
        this.source = source;
    }

    static List<Token> tokens(String template, String source) {
        return new Lexer(template, source).all();
    }

    private List<Token> all() {
        while (at < text.length()) {
            root();
        }
        add(Token.Kind.END, "", null);
        return tokens;
    }

    private void root() {
        int tag = nextTag();
        if (tag < 0) {
            data(text.substring(at));
            at = text.length();
            return;
        }
        char kind = text.charAt(tag + 1);
        int after = tag + 2;
        char sign = after < text.length() ? text.charAt(after) : ' ';
        if (sign == '-' || sign == '+') {
            after++;
        }
        data(strip(text.substring(at, tag), sign, kind != '{'));
        at = tag;
        Matcher raw = RAW.matcher(text).region(tag, text.length());
        if (kind == '%' && raw.lookingAt()) {
            moveTo(raw.end());
            raw();
            return;
        }
        int startLine = lineAt(tag);
        if (kind == '#') {
            at = after;
            comment(startLine);
            return;
        }
        add(kind == '{' ? Token.Kind.VARIABLE_BEGIN : Token.Kind.BLOCK_BEGIN, "", null);
        at = after;
        inside(kind == '%');
    }

    private int nextTag() {
        for (int i = text.indexOf('{', at); i >= 0 && i + 1 < text.length(); i = text.indexOf('{', i + 1)) {
            char c = text.charAt(i + 1);
            if (c == '{' || c == '%' || c == '#') {
                return i;
            }
        }
        return -1;
    }

    private String strip(String data, char sign, boolean block) {
        if (sign == '-') {
            return PyString.strip(data, null, false, true);
        }
        int start = data.lastIndexOf('\n') + 1;
        if (sign != '+' && block && (start > 0 || lineStarting) && PyString.isBlank(data, start)) {
            return data.substring(0, start);
        }
        return data;
    }

    private void data(String data) {
        if (!data.isEmpty()) {
            add(Token.Kind.DATA, data, null);
        }
    }

    private void raw() {
        Matcher end = END_RAW.matcher(text).region(at, text.length());
        if (!end.lookingAt()) {
            throw error("missing {% endraw %}");
        }
        String sign = end.group(2);
        data(strip(end.group(1), sign.isEmpty() ? ' ' : sign.charAt(0), true));
        moveTo(end.end());
    }

    private void comment(int startLine) {
        int end = text.indexOf("#}", at);
        if (end < 0) {
            throw new TemplateException(source, startLine, "missing end of comment '#}'", null);
        }
        char sign = end > at ? text.charAt(end - 1) : ' ';
        closeTag(end + 2, sign, true);
    }

    /** Moves behind a closing tag that ends at {@code end}, and behind the white space that it swallows. */
    private void closeTag(int end, char sign, boolean trimNewline) {
        int to = end;
        if (sign == '-') {
            while (to < text.length() && PyString.isSpace(text.charAt(to))) {
                to++;
            }
        } else if (sign != '+' && trimNewline && to < text.length() && text.charAt(to) == '\n') {
            to++;
        }
        moveTo(to);
    }

    private void moveTo(int to) {
        at = to;
        lineStarting = at > 0 && text.charAt(at - 1) == '\n';
    }

    private void inside(boolean block) {
        String close = block ? "%}" : "}}";
        open.clear();
        while (at < text.length()) {
            char c = text.charAt(at);
            if (open.isEmpty()) {
                boolean signed = c == '-' || (block && c == '+');
                if (text.startsWith(close, signed ? at + 1 : at)) {
                    add(block ? Token.Kind.BLOCK_END : Token.Kind.VARIABLE_END, close, null);
                    closeTag(at + (signed ? 3 : 2), signed ? c : ' ', block);
                    return;
                }
            }
            if (PyString.isSpace(c)) {
                at++;
            } else if (c == '"' || c == '\'') {
                string(c);
            } else if (!number() && !name()) {
                operator(c);
            }
        }
    }

    private boolean number() {
        Matcher real = FLOAT.matcher(text).region(at, text.length()).useTransparentBounds(true);
        if (real.lookingAt()) {
            add(Token.Kind.FLOAT, real.group(), Double.valueOf(real.group().replace("_", "")));
            at = real.end();
            return true;
        }
        Matcher integer = INTEGER.matcher(text).region(at, text.length());
        if (!integer.lookingAt()) {
            return false;
        }
        String digits = integer.group().replace("_", "");
        int radix = switch (digits.length() > 1 ? Character.toLowerCase(digits.charAt(1)) : ' ') {
            case 'x' -> 16;
            case 'o' -> 8;
            case 'b' -> 2;
            default -> 10;
        };
        Object value = Operators.normal(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
        add(Token.Kind.INTEGER, integer.group(), value);
        at = integer.end();
        return true;
    }

    private boolean name() {
        Matcher name = NAME.matcher(text).region(at, text.length());
        if (!name.lookingAt()) {
            return false;
        }
        if (Character.isDigit(name.group().codePointAt(0))) {
            throw error("'" + name.group() + "' is neither a number nor a name");
        }
        add(Token.Kind.NAME, name.group(), null);
        at = name.end();
        return true;
    }

    private void operator(char c) {
        String two = text.substring(at, Math.min(at + 2, text.length()));
        if (LONG_OPERATORS.contains(two)) {
            add(Token.Kind.OPERATOR, two, null);
            at += 2;
            return;
        }
        if (OPERATORS.indexOf(c) < 0) {
            throw error("unexpected character '" + Character.toString(text.codePointAt(at)) + "'");
        }
        if (c == '(' || c == '[' || c == '{') {
            open.push(c == '(' ? ')' : c == '[' ? ']' : '}');
        } else if (c == ')' || c == ']' || c == '}') {
            if (open.isEmpty()) {
                throw error("unexpected '" + c + "'");
            }
            char expected = open.pop();
            if (expected != c) {
                throw error("unexpected '" + c + "', expected '" + expected + "'");
            }
        }
        add(Token.Kind.OPERATOR, String.valueOf(c), null);
        at++;
    }

    private void string(char quote) {
        int end = at + 1;
        while (end < text.length() && text.charAt(end) != quote) {
            end += text.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= text.length()) {
            throw error("a string starts here and does not end");
        }
        try {
            add(Token.Kind.STRING, PyString.unescape(text.substring(at + 1, end)), null);
        } catch (PyError e) {
            throw error(e.getMessage());
        }
        at = end + 1;
    }

    private void add(Token.Kind kind, String value, Object number) {
        tokens.add(new Token(kind, value, number, lineAt(at)));
    }

    private int lineAt(int offset) {
        for (; counted < offset; counted++) {
            if (text.charAt(counted) == '\n') {
                line++;
            }
        }
        return line;
    }

    private TemplateException error(String reason) {
        return new TemplateException(source, lineAt(at), reason, null);
    }
}
