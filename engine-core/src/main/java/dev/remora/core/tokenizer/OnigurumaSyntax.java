package dev.remora.core.tokenizer;

import dev.remora.core.UnsupportedModelException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Translates the regular expressions of tokenizer files, which are written for Oniguruma (Ruby syntax, UTF-8), into those
 * of java.util.regex. What has no equal is refused by name, never guessed.
 */
final class OnigurumaSyntax {
    /**
     * Oniguruma's classes are those of Unicode; its {@code .}, {@code ^} and {@code $} know only the line feed, and the
     * two anchors hold at every line.
     */
    static final int FLAGS = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES | Pattern.MULTILINE;

    /** Escapes that both sides read alike. {@code \w} is taken as alike: both follow UTS 18, annex C. */
    private static final String SAME_ESCAPES = "sSdDwWbBAzZGRXntrfeauxk0123456789";

    private static final Set<String> CATEGORIES = Set.of(
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps",
            "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co",
            "Cn");

    /** Other names of properties, lower case without separators. */
    private static final Map<String, String> PROPERTIES = Map.ofEntries(
            Map.entry("letter", "L"),
            Map.entry("uppercaseletter", "Lu"),
            Map.entry("lowercaseletter", "Ll"),
            Map.entry("titlecaseletter", "Lt"),
            Map.entry("modifierletter", "Lm"),
            Map.entry("otherletter", "Lo"),
            Map.entry("mark", "M"),
            Map.entry("nonspacingmark", "Mn"),
            Map.entry("number", "N"),
            Map.entry("decimalnumber", "Nd"),
            Map.entry("digit", "Nd"),
            Map.entry("punctuation", "P"),
            Map.entry("symbol", "S"),
            Map.entry("separator", "Z"),
            Map.entry("spaceseparator", "Zs"),
            Map.entry("control", "Cc"),
            Map.entry("alpha", "IsAlphabetic"),
            Map.entry("alphabetic", "IsAlphabetic"),
            Map.entry("upper", "IsUppercase"),
            Map.entry("uppercase", "IsUppercase"),
            Map.entry("lower", "IsLowercase"),
            Map.entry("lowercase", "IsLowercase"),
            Map.entry("space", "IsWhite_Space"),
            Map.entry("whitespace", "IsWhite_Space"),
            Map.entry("ideographic", "IsIdeographic"),
            Map.entry("emoji", "IsEmoji"));

    private final String regex;
    private final String source;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private OnigurumaSyntax(String regex, String source) {
        this.regex = regex;
        this.source = source;
    }

    /**
     * Compiles an expression, to the fast matcher where that knows all of it.
     *
     * @param source where the expression stands, for errors
     */
    static TextPattern compile(String regex, String source) {
        String translated = translate(regex, source);
        Pattern pattern;
        try {
            pattern = Pattern.compile(translated, FLAGS);
        } catch (PatternSyntaxException e) {
            throw new UnsupportedModelException(source + ": cannot read the regular expression " + regex + " ("
                    + e.getDescription() + " near character " + e.getIndex() + ")");
        }
        return ClassPattern.compile(translated).map(TextPattern.class::cast).orElseGet(() -> new JavaPattern(pattern));
    }

    /** A literal string as a pattern. */
    static TextPattern literal(String text) {
        return new JavaPattern(Pattern.compile(text, Pattern.LITERAL));
    }

    /** The expression in the syntax of java.util.regex, for {@link #FLAGS}. */
    static String translate(String regex, String source) {
        OnigurumaSyntax translation = new OnigurumaSyntax(regex, source);
        while (translation.at < regex.length()) {
            translation.element();
        }
        return translation.out.toString();
    }

    private void element() {
        char c = next();
        switch (c) {
            case '\\' -> escape(false);
            case '[' -> characterClass();
            case '(' -> group();
            case '{' -> interval();
            default -> out.append(c);
        }
    }

    private void group() {
        out.append('(');
        if (!regex.startsWith("?", at)) {
            return;
        }
        if (regex.startsWith("?#", at) || regex.startsWith("?~", at)) {
            throw unsupported("(" + regex.substring(at, at + 2));
        }
        int colon = at + 1;
        while (colon < regex.length() && "imx-".indexOf(regex.charAt(colon)) >= 0) {
            colon++;
        }
        // Ruby's m lets a dot match a line feed, which Java calls s.
        out.append(regex.substring(at, colon).replace('m', 's'));
        at = colon;
    }

    private void interval() {
        int end = regex.indexOf('}', at);
        String body = end < 0 ? "" : regex.substring(at, end);
        if (!body.matches("\\d+|\\d+,\\d*|,\\d+")) {
            out.append("\\{");
            return;
        }
        at = end + 1;
        if (regex.startsWith("+", at)) {
            // Ruby repeats the interval, Java makes it possessive.
            throw unsupported("{" + body + "}+");
        }
        out.append('{').append(body.startsWith(",") ? "0" : "").append(body).append('}');
    }

    private void escape(boolean inClass) {
        char c = next();
        switch (c) {
            case 'h' -> out.append(inClass ? "0-9a-fA-F" : "[0-9a-fA-F]");
            case 'H' -> out.append("[^0-9a-fA-F]");
            case 'v' -> out.append("\\x0B");
            case 'p', 'P' -> property(c == 'P');
            case 'b' -> out.append(inClass ? "\\x08" : "\\b");
            case 'x' -> {
                int end = regex.startsWith("{", at) ? regex.indexOf('}', at) + 1 : at;
                out.append("\\x").append(regex, at, Math.max(at, end));
                at = Math.max(at, end);
            }
            default -> {
                boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                if (letter && SAME_ESCAPES.indexOf(c) < 0) {
                    throw unsupported("\\" + c);
                }
                out.append('\\').append(c);
            }
        }
    }

    private void property(boolean complement) {
        int end = regex.indexOf('}', at);
        if (!regex.startsWith("{", at) || end < 0) {
            throw unsupported("\\p without {name}");
        }
        String written = regex.substring(at + 1, end);
        at = end + 1;
        boolean caret = written.startsWith("^");
        out.append(complement ^ caret ? "\\P{" : "\\p{")
                .append(propertyName(caret ? written.substring(1) : written))
                .append('}');
    }

    private String propertyName(String written) {
        for (String category : CATEGORIES) {
            if (category.equalsIgnoreCase(written)) {
                return category;
            }
        }
        String known = PROPERTIES.get(written.toLowerCase(Locale.ROOT).replaceAll("[ _-]", ""));
        if (known != null) {
            return known;
        }
        String script = written.replaceFirst("^(?i:script|sc)=", "");
        try {
            Character.UnicodeScript.forName(script);
        } catch (IllegalArgumentException e) {
            throw unsupported("\\p{" + written + "}");
        }
        return "Is" + script;
    }

    private void characterClass() {
        out.append('[');
        if (regex.startsWith("^", at)) {
            out.append(next());
        }
        if (regex.startsWith("]", at)) {
            at++;
            out.append("\\]");
        }
        while (true) {
            char c = next();
            switch (c) {
                case ']' -> {
                    out.append(']');
                    return;
                }
                case '\\' -> escape(true);
                case '[' -> {
                    if (regex.startsWith(":", at)) {
                        posixBracket();
                    } else {
                        characterClass();
                    }
                }
                default -> out.append(c);
            }
        }
    }

    private void posixBracket() {
        int end = regex.indexOf(":]", at);
        String name = end < 0 ? "" : regex.substring(at + 1, end);
        String known = PROPERTIES.get(name);
        if (known == null) {
            throw unsupported("[:" + name + ":]");
        }
        at = end + 2;
        out.append("\\p{").append(known).append('}');
    }

    private char next() {
        if (at == regex.length()) {
            throw new UnsupportedModelException(source + ": the regular expression " + regex + " ends too early");
        }
        return regex.charAt(at++);
    }

    private UnsupportedModelException unsupported(String construct) {
        return new UnsupportedModelException(
                source + ": " + construct + " in the regular expression " + regex + " is not supported");
    }
}
