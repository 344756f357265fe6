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
            // Oniguruma's iteration drops an empty match right behind the one before.
            if (matcher.end() > matcher.start() || matcher.start() != lastEnd) {
                consumer.accept(from + matcher.start(), from + matcher.end());
            }
            lastEnd = matcher.end();
        }
    }

    private boolean find(Matcher matcher, int length) {
        try {
            return matcher.find();
        } catch (StackOverflowError e) {
            throw new RemoraException(
                    "the tokenizer's regular expression " + pattern + " needs more stack than a thread has on a stretch of "
                            + length + " characters. Split the text, or give the thread a larger stack (-Xss).",
                    e);
        }
    }
}
