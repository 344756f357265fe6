package dev.remora.core.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads the subset of java.util.regex syntax that {@link ClassPattern} runs. The text of a class is left to Pattern. */
final class ClassPatternParser {
    /** Letters whose escape is one class or one character; all others mean something that this subset does not have. */
    private static final String CLASS_ESCAPES = "sSdDwWrntf";

    private final String regex;
    private final Map<String, CharClass> classes = new HashMap<>();
    private int at;

    ClassPatternParser(String regex) {
        this.regex = regex;
    }

    /** A part of a pattern that is not yet tied to what follows it. */
    sealed interface Term {
        ClassPattern.Node link(ClassPattern.Node next);
    }

    private record Sequence(List<Term> terms) implements Term {
        @Override
        public ClassPattern.Node link(ClassPattern.Node next) {
            ClassPattern.Node node = next;
            for (Term term : terms.reversed()) {
                node = term.link(node);
            }
            return node;
        }
    }

    private record Choice(List<Term> alternatives) implements Term {
        @Override
        public ClassPattern.Node link(ClassPattern.Node next) {
            return new ClassPattern.Branch(
                    alternatives.stream().map(a -> a.link(next)).toArray(ClassPattern.Node[]::new));
        }
    }

    private record Repetition(CharClass charClass, int min, int max, boolean possessive) implements Term {
        @Override
        public ClassPattern.Node link(ClassPattern.Node next) {
            return new ClassPattern.Repeat(charClass, min, max, possessive, next);
        }
    }

    private record Ahead(Term condition, boolean negative) implements Term {
        @Override
        public ClassPattern.Node link(ClassPattern.Node next) {
            return new ClassPattern.Lookahead(condition.link(ClassPattern.Accept.INSTANCE), negative, next);
        }
    }

    private record End() implements Term {
        @Override
        public ClassPattern.Node link(ClassPattern.Node next) {
            return new ClassPattern.LineEnd(next);
        }
    }

    /** Thrown within the parser where the expression leaves the subset. */
    private static final class OutsideSubset extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** The alternatives of the whole expression; empty if it is outside of the subset. */
    Optional<List<Term>> parse() {
        try {
            List<Term> alternatives = alternatives(false);
            return at == regex.length() ? Optional.of(alternatives) : Optional.empty();
        } catch (OutsideSubset e) {
            return Optional.empty();
        }
    }

    private List<Term> alternatives(boolean ignoreCase) throws OutsideSubset {
        List<Term> alternatives = new ArrayList<>();
        do {
            List<Term> terms = new ArrayList<>();
            while (at < regex.length() && peek() != '|' && peek() != ')') {
                terms.add(term(ignoreCase));
            }
            alternatives.add(new Sequence(terms));
        } while (skip("|"));
        return alternatives;
    }

    private Term term(boolean ignoreCase) throws OutsideSubset {
        if (skip("$")) {
            return new End();
        }
        if (skip("(?!")) {
            return new Ahead(group(ignoreCase), true);
        }
        if (skip("(?=")) {
            return new Ahead(group(ignoreCase), false);
        }
        boolean caseless = skip("(?i:");
        if (caseless || skip("(?:") || skip("(")) {
            Term group = group(ignoreCase || caseless);
            if (skip("?")) {
                requireNoSuffix();
                return new Choice(List.of(group, new Sequence(List.of())));
            }
            requireNoRepeat();
            return group;
        }
        return repetition(charClass(atom(), ignoreCase));
    }

    private Term group(boolean ignoreCase) throws OutsideSubset {
        if (at < regex.length() && peek() == '?') {
            throw new OutsideSubset();
        }
        Term group = new Choice(alternatives(ignoreCase));
        if (!skip(")")) {
            throw new OutsideSubset();
        }
        return group;
    }

    private Term repetition(CharClass charClass) throws OutsideSubset {
        int min = 1;
        int max = 1;
        if (skip("?")) {
            min = 0;
        } else if (skip("*")) {
            min = 0;
            max = Integer.MAX_VALUE;
        } else if (skip("+")) {
            max = Integer.MAX_VALUE;
        } else if (skip("{")) {
            min = number();
            max = min;
            if (skip(",")) {
                max = at < regex.length() && peek() == '}' ? Integer.MAX_VALUE : number();
            }
            if (!skip("}") || max < min) {
                throw new OutsideSubset();
            }
        } else {
            return new Repetition(charClass, 1, 1, false);
        }
        boolean possessive = skip("+");
        requireNoSuffix();
        return new Repetition(charClass, min, max, possessive);
    }

    /** The text of one class, escape or character. */
    private String atom() throws OutsideSubset {
        int start = at;
        int c = regex.codePointAt(at);
        at += Character.charCount(c);
        switch (c) {
            case '\\' -> escape();
            case '[' -> bracket();
            case '^', '*', '+', '?', '{' -> throw new OutsideSubset();
            default -> {}
        }
        return regex.substring(start, at);
    }

    private void escape() throws OutsideSubset {
        if (at == regex.length()) {
            throw new OutsideSubset();
        }
        char c = regex.charAt(at++);
        if (c == 'p' || c == 'P' || (c == 'x' && at < regex.length() && peek() == '{')) {
            int end = regex.indexOf('}', at);
            if (peek() != '{' || end < 0) {
                throw new OutsideSubset();
            }
            at = end + 1;
        } else if (c == 'x' || c == 'u') {
            at = Math.min(regex.length(), at + (c == 'x' ? 2 : 4));
        } else if (Character.isLetterOrDigit(c) && CLASS_ESCAPES.indexOf(c) < 0) {
            throw new OutsideSubset();
        }
    }

    private void bracket() throws OutsideSubset {
        for (int depth = 1; depth > 0; ) {
            if (at == regex.length()) {
                throw new OutsideSubset();
            }
            switch (regex.charAt(at++)) {
                case '\\' -> at++;
                case '[' -> depth++;
                case ']' -> depth--;
                default -> {}
            }
        }
    }

    private CharClass charClass(String text, boolean ignoreCase) {
        return classes.computeIfAbsent(
                ignoreCase ? "(?i)" + text : text, t -> new CharClass(Pattern.compile(t, OnigurumaSyntax.FLAGS)));
    }

    private int number() throws OutsideSubset {
        int start = at;
        while (at < regex.length() && peek() >= '0' && peek() <= '9') {
            at++;
        }
        if (at == start || at - start > 6) {
            throw new OutsideSubset();
        }
        return Integer.parseInt(regex, start, at, 10);
    }

    private void requireNoRepeat() throws OutsideSubset {
        if (at < regex.length() && "*{".indexOf(peek()) >= 0) {
            throw new OutsideSubset();
        }
        requireNoSuffix();
    }

    private void requireNoSuffix() throws OutsideSubset {
        if (at < regex.length() && "?+".indexOf(peek()) >= 0) {
            throw new OutsideSubset();
        }
    }

    private char peek() {
        return regex.charAt(at);
    }

    private boolean skip(String expected) {
        boolean found = regex.startsWith(expected, at);
        at += found ? expected.length() : 0;
        return found;
    }
}
