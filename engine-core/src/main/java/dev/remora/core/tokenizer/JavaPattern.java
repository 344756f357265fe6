package dev.remora.core.tokenizer;

import dev.remora.core.RemoraException;
import java.nio.CharBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A regular expression run by java.util.regex: anything that {@link ClassPattern} does not cover. */
final class JavaPattern implements TextPattern {
    private final Pattern pattern;

    JavaPattern(Pattern pattern) {
        this.pattern = pattern;
    }

    @Override
    public void forEachMatch(char[] text, int from, int to, MatchConsumer consumer) {
        Matcher matcher = pattern.matcher(CharBuffer.wrap(text, from, to - from));
        int lastEnd = -1;
        while (find(matcher, to - from)) {
            int start = from + matcher.start();
            int end = from + matcher.end();
            // Of empty matches Oniguruma drops one right behind another match, and knows none within a character.
            boolean dropped =
                    start == end && (start == lastEnd || (start > from && start < to && isWithinPair(text, start)));
            if (!dropped) {
                consumer.accept(start, end);
                lastEnd = end;
            }
        }
    }

    private static boolean isWithinPair(char[] text, int at) {
        return Character.isSurrogatePair(text[at - 1], text[at]);
    }

    private boolean find(Matcher matcher, int length) {
        try {
            return matcher.find();
        } catch (StackOverflowError e) {
            throw new RemoraException(
                    "the tokenizer's regular expression " + pattern
                            + " needs more stack than a thread has on a stretch of " + length
                            + " characters. Split the text, or give the thread a larger stack (-Xss).",
                    e);
        }
    }
}
