package dev.remora.core.tokenizer;

import java.util.List;
import java.util.Optional;

/**
 * A fast matcher for regular expressions made of repeated character classes, which those of published tokenizers are:
 * alternatives and groups of classes with quantifiers, lookahead, {@code $}. It tries what java.util.regex tries, in the
 * same order, so it finds the same matches; but a repetition is a loop, never a recursion, so no text is too long for it.
 */
final class ClassPattern implements TextPattern {
    private final Node[] alternatives;

    /** For each ASCII character the alternatives, as bits, that a match starting with it may take. */
    private final long[] startMask;

    /** The class of a leading {@code X+} if there is only one alternative, else null. */
    private final CharClass leadingPlus;

    private ClassPattern(List<ClassPatternParser.Term> terms) {
        alternatives = new Node[terms.size()];
        startMask = new long[128];
        for (int a = 0; a < alternatives.length; a++) {
            alternatives[a] = terms.get(a).link(Accept.INSTANCE);
            for (int c = 0; c < startMask.length; c++) {
                startMask[c] |= alternatives[a].canStart(c) ? 1L << a : 0;
            }
        }
        leadingPlus = alternatives.length == 1
                        && alternatives[0] instanceof Repeat r
                        && r.min == 1
                        && r.max == Integer.MAX_VALUE
                ? r.charClass
                : null;
    }

    /** Compiles a translated expression; empty if it has something that this matcher does not know. */
    static Optional<ClassPattern> compile(String javaRegex) {
        return new ClassPatternParser(javaRegex)
                .parse()
                .filter(terms -> terms.size() <= Long.SIZE)
                .map(ClassPattern::new);
    }

    @Override
    public void forEachMatch(char[] text, int from, int to, MatchConsumer consumer) {
        int lastEnd = -1;
        int at = from;
        while (at <= to) {
            int end = matchAt(text, at, to);
            if (end > at) {
                consumer.accept(at, end);
                lastEnd = end;
                at = end;
            } else {
                if (end == at && at != lastEnd) {
                    consumer.accept(at, at);
                }
                at = end < 0 && leadingPlus != null ? skipRun(text, at, to) : at + width(text, at, to);
            }
        }
    }

    private int matchAt(char[] text, int at, int to) {
        long mask = at < to && text[at] < 128 ? startMask[text[at]] : -1L;
        for (int a = 0; a < alternatives.length; a++) {
            if ((mask >>> a & 1) != 0) {
                int end = alternatives[a].match(text, at, to);
                if (end >= 0) {
                    return end;
                }
            }
        }
        return -1;
    }

    /**
     * Where to go on after {@code X+...} failed at {@code at}: what follows {@code X+} was tried at every position of the
     * run of X, so no later start within the run can succeed. Without this, {@code \s+$} would be quadratic.
     */
    private int skipRun(char[] text, int at, int to) {
        int i = at;
        while (i < to && leadingPlus.contains(codePoint(text, i, to))) {
            i += width(text, i, to);
        }
        return Math.max(i, at + width(text, at, to));
    }

    private static int codePoint(char[] text, int i, int to) {
        return Character.codePointAt(text, i, to);
    }

    private static int width(char[] text, int i, int to) {
        return i < to ? Character.charCount(Character.codePointAt(text, i, to)) : 1;
    }

    /** A state: matches from {@code i} on to the end of the whole pattern. */
    abstract static class Node {
        /** The end of the match, or -1. */
        abstract int match(char[] text, int i, int to);

        /** False only if no match can begin with this character. */
        abstract boolean canStart(int character);
    }

    static final class Accept extends Node {
        static final Accept INSTANCE = new Accept();

        private Accept() {}

        @Override
        int match(char[] text, int i, int to) {
            return i;
        }

        @Override
        boolean canStart(int character) {
            return true;
        }
    }

    static final class Repeat extends Node {
        final CharClass charClass;
        final int min;
        final int max;
        private final boolean possessive;
        private final Node next;

        Repeat(CharClass charClass, int min, int max, boolean possessive, Node next) {
            this.charClass = charClass;
            this.min = min;
            this.max = max;
            this.possessive = possessive;
            this.next = next;
        }

        @Override
        int match(char[] text, int i, int to) {
            int count = 0;
            int j = i;
            while (count < max && j < to) {
                int c = text[j];
                if (c < Character.MIN_SURROGATE) {
                    if (!charClass.contains(c)) {
                        break;
                    }
                    j++;
                } else {
                    c = codePoint(text, j, to);
                    if (!charClass.contains(c)) {
                        break;
                    }
                    j += Character.charCount(c);
                }
                count++;
            }
            if (count < min) {
                return -1;
            }
            while (true) {
                int end = next.match(text, j, to);
                if (end >= 0 || possessive || count == min) {
                    return end;
                }
                j -= Character.charCount(Character.codePointBefore(text, j, i));
                count--;
            }
        }

        @Override
        boolean canStart(int character) {
            return charClass.contains(character) || (min == 0 && next.canStart(character));
        }
    }

    /** A group of alternatives; each goes on to what follows the group. */
    static final class Branch extends Node {
        private final Node[] alternatives;

        Branch(Node[] alternatives) {
            this.alternatives = alternatives;
        }

        @Override
        int match(char[] text, int i, int to) {
            for (Node alternative : alternatives) {
                int end = alternative.match(text, i, to);
                if (end >= 0) {
                    return end;
                }
            }
            return -1;
        }

        @Override
        boolean canStart(int character) {
            for (Node alternative : alternatives) {
                if (alternative.canStart(character)) {
                    return true;
                }
            }
            return false;
        }
    }

    static final class Lookahead extends Node {
        private final Node condition;
        private final boolean negative;
        private final Node next;

        Lookahead(Node condition, boolean negative, Node next) {
            this.condition = condition;
            this.negative = negative;
            this.next = next;
        }

        @Override
        int match(char[] text, int i, int to) {
            return (condition.match(text, i, to) < 0) == negative ? next.match(text, i, to) : -1;
        }

        @Override
        boolean canStart(int character) {
            return next.canStart(character);
        }
    }

    /** {@code $}: before a line feed or at the end. */
    static final class LineEnd extends Node {
        private final Node next;

        LineEnd(Node next) {
            this.next = next;
        }

        @Override
        int match(char[] text, int i, int to) {
            return i == to || text[i] == '\n' ? next.match(text, i, to) : -1;
        }

        @Override
        boolean canStart(int character) {
            return next.canStart(character);
        }
    }
}
