package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import dev.remora.core.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Regular expressions: their translation, and the fast matcher against java.util.regex. */
class OnigurumaSyntaxTest {
    private static final String DEEPSEEK_V3 =
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                    + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final List<String> FAST = List.of(
            "\\p{N}{1,3}",
            "[一-龥\u3040-ゟ゠-ヿ]+",
            DEEPSEEK_V3,
            LLAMA3,
            TiktokenModel.PATTERN,
            PreTokenizerReader.GPT2,
            "[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s",
            "\\s?\\p{L}+",
            "\\s+$",
            "[\\r\\n]",
            "\\w+|[^\\w\\s]+",
            "a*",
            "(?:ab|a(?=b))c?",
            "x{2}y{0,2}z{1,}|\\x{1F600}|\\u00e9");

    @Test
    void fastMatcherFindsWhatJavaFinds() {
        Random random = new Random(1);
        for (String regex : FAST) {
            TextPattern fast = OnigurumaSyntax.compile(regex, "test");
            assertInstanceOf(ClassPattern.class, fast, regex);
            TextPattern java =
                    new JavaPattern(Pattern.compile(OnigurumaSyntax.translate(regex, "test"), OnigurumaSyntax.FLAGS));
            for (int i = 0; i < 1500; i++) {
                char[] text = TokenizerFixtures.randomText(random, 25).toCharArray();
                int from = random.nextInt(text.length + 1);
                while (from > 0 && from < text.length && Character.isLowSurrogate(text[from])) {
                    from--;
                }
                assertEquals(matches(java, text, from), matches(fast, text, from), regex);
            }
        }
    }

    private static List<String> matches(TextPattern pattern, char[] text, int from) {
        List<String> matches = new ArrayList<>();
        pattern.forEachMatch(
                text,
                from,
                text.length,
                (start, end) -> matches.add(start + ":" + new String(text, start, end - start)));
        return matches;
    }

    @ParameterizedTest
    @ValueSource(strings = {"(ab)+", "\\bfoo", "a*?", "^x", "(?<=a)b", "(a)\\1", "a{2}?"})
    void theRestIsLeftToJava(String regex) {
        assertInstanceOf(JavaPattern.class, OnigurumaSyntax.compile(regex, "test"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "\\p{Han}+ \\p{IsHan}+",
                "\\p{^L} \\P{L}",
                "\\P{^lu} \\p{Lu}",
                "\\p{Letter} \\p{L}",
                "\\p{Script=Greek} \\p{IsGreek}",
                "\\h [0-9a-fA-F]",
                "[\\h_] [0-9a-fA-F_]",
                "\\v \\x0B",
                "x{,3} x{0,3}",
                "x{a} x\\{a}",
                "[]a] [\\]a]",
                "[^]a] [^\\]a]",
                "[[:alpha:]_] [\\p{IsAlphabetic}_]",
                "[\\p{L}&&[^\\p{Han}]] [\\p{L}&&[^\\p{IsHan}]]",
                "(?m:.) (?s:.)",
                "(?i:'s) (?i:'s)",
                "(?<!a)b (?<!a)b"
            })
    void translates(String oniguruma, String java) {
        assertEquals(java, OnigurumaSyntax.translate(oniguruma, "test"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\K", "\\p{Klingon}", "x{2}+", "(?~abc)", "(?#no)", "[[:graph:]]", "[a", "(", "a\\"})
    void refusesByName(String regex) {
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> OnigurumaSyntax.compile(regex, "tokenizer.json"));
        assertTrue(
                e.getMessage().startsWith("tokenizer.json: ") && e.getMessage().contains(regex), e.getMessage());
    }

    @Test
    void anchorsHoldAtEveryLineAndKnowOnlyLineFeeds() {
        assertEquals(List.of("1: ", "4: "), matches(OnigurumaSyntax.compile(" +$", "test"), "a \nb ".toCharArray(), 0));
        assertEquals(List.of("0:\r"), matches(OnigurumaSyntax.compile(".", "test"), "\r\n".toCharArray(), 0));
    }

    @Test
    void groupThatRepeatsTooOftenIsAnErrorNotACrash() {
        TextPattern pattern = OnigurumaSyntax.compile("(?:a|b)+c", "test");
        char[] text = "ab".repeat(5_000_000).toCharArray();
        RemoraException e = assertThrows(RemoraException.class, () -> matches(pattern, text, 0));
        assertTrue(e.getMessage().contains("(?:a|b)+c"), e.getMessage());
    }
}
