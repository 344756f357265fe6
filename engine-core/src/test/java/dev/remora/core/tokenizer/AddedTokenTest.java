package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Added tokens in texts; ids below 256 are bytes. */
class AddedTokenTest {

    private static String token(int id, String content, String flags) {
        return "{\"id\":" + id + ",\"content\":\"" + content + "\"" + (flags.isEmpty() ? "" : "," + flags) + "}";
    }

    private static Tokenizer with(String... tokens) {
        return TokenizerFixtures.small("null", TokenizerFixtures.BYTE_LEVEL, String.join(",", tokens));
    }

    @Test
    void leftmostThenLongestWins() {
        Tokenizer tokenizer = with(token(259, "<a>", ""), token(260, "<a><b>", ""), token(261, "><", ""));
        assertArrayEquals(new int[] {'x', 260, 'y'}, tokenizer.encode("x<a><b>y"));
        assertArrayEquals(new int[] {259, '<', 'b'}, tokenizer.encode("<a><b"));
        assertArrayEquals(new int[] {261, 261}, tokenizer.encode("><><"));
    }

    @Test
    void stripFlagsTakeSpaceAlong() {
        assertArrayEquals(
                new int[] {'a', 259, ' ', 'b'},
                with(token(259, "<x>", "\"lstrip\":true")).encode("a \n\u3000<x> b"));
        assertArrayEquals(
                new int[] {'a', ' ', 259, 'b'},
                with(token(259, "<x>", "\"rstrip\":true")).encode("a <x>\t\u00A0b"));
    }

    @Test
    void singleWordsStandAlone() {
        Tokenizer tokenizer = with(token(259, "ab", "\"single_word\":true"));
        assertArrayEquals(new int[] {259, ' ', 'a', 'b', 'c', '-', 259}, tokenizer.encode("ab abc-ab"));
        assertArrayEquals(new int[] {'_', 'a', 'b'}, tokenizer.encode("_ab"));
    }

    @Test
    void normalizedTokensAreFoundInNormalisedText() {
        String tokens = token(259, "<X>", "\"normalized\":true") + "," + token(260, "<Y>", "\"normalized\":false");
        Tokenizer tokenizer = TokenizerFixtures.small("{\"type\":\"Lowercase\"}", TokenizerFixtures.BYTE_LEVEL, tokens);
        assertArrayEquals(new int[] {259, 259, 260, '<', 'y', '>'}, tokenizer.encode("<X><x><Y><y>"));
        assertEquals("<X><Y>", tokenizer.decode(new int[] {259, 260}));
    }

    @Test
    void wordsAreNotMergedAcrossTokens() {
        Tokenizer tokenizer = with(token(259, "<s>", "\"special\":true"));
        assertArrayEquals(new int[] {258}, tokenizer.encode(" the"));
        assertArrayEquals(new int[] {' ', 259, 257}, tokenizer.encode(" <s>the"));
        assertArrayEquals(new int[] {'<', 's', '>', 257}, tokenizer.encodeOrdinary("<s>the"));
    }
}
