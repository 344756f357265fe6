package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for any text and any ids. */
class TokenizerPropertyTest {

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v3", "kimi-mini", "remora-tiny"})
    void decodingUndoesEncoding(String name) {
        Tokenizer tokenizer = TokenizerFixtures.load(name);
        Random random = new Random(1);
        for (int i = 0; i < 3000; i++) {
            String text = TokenizerFixtures.randomText(random, 40);
            assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
            assertEquals(text, tokenizer.decode(tokenizer.encodeOrdinary(text)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v3", "kimi-mini", "remora-tiny"})
    void loneSurrogatesBecomeReplacementCharacters(String name) {
        Tokenizer tokenizer = TokenizerFixtures.load(name);
        assertEquals("a\uFFFDb", tokenizer.decode(tokenizer.encode("a\uD83Db")));
        assertEquals("\uFFFD\uFFFD", tokenizer.decode(tokenizer.encode("\uDE00\uD83D")));
        Random random = new Random(2);
        for (int i = 0; i < 1000; i++) {
            StringBuilder text = new StringBuilder();
            for (int j = random.nextInt(20); j > 0; j--) {
                text.append((char) (random.nextBoolean() ? 0xD800 + random.nextInt(0x800) : random.nextInt(0x10000)));
            }
            String decoded = tokenizer.decode(tokenizer.encode(text.toString()));
            byte[] utf8 = TokenizerFixtures.utf8(decoded);
            assertEquals(decoded, new String(utf8, java.nio.charset.StandardCharsets.UTF_8));
            assertEquals(text.toString().codePointCount(0, text.length()), decoded.codePointCount(0, decoded.length()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v3", "kimi-mini", "remora-tiny"})
    void streamsGiveWhatDecodingGives(String name) {
        Tokenizer tokenizer = TokenizerFixtures.load(name);
        Random random = new Random(3);
        StreamingDecoder decoder = tokenizer.newDecoder();
        for (int i = 0; i < 3000; i++) {
            // The first ids of all three vocabularies are single bytes, so that most sequences are broken UTF-8.
            int range = random.nextBoolean() ? 300 : tokenizer.vocabSize() + 10;
            int[] ids = random.ints(random.nextInt(20), 0, range).toArray();
            StringBuilder streamed = new StringBuilder();
            for (int id : ids) {
                String piece = decoder.push(id);
                assertTrue(piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)));
                assertTrue(piece.isEmpty() || !Character.isLowSurrogate(piece.charAt(0)));
                streamed.append(piece);
            }
            assertEquals(tokenizer.decode(ids), streamed.append(decoder.flush()).toString());
        }
    }

    @Test
    void characterSplitOverTokensAppearsWhenComplete() {
        Tokenizer tokenizer = TokenizerFixtures.small("null", TokenizerFixtures.BYTE_LEVEL, "");
        StreamingDecoder decoder = tokenizer.newDecoder();
        assertEquals("", decoder.push(0xF0));
        assertEquals("", decoder.push(0x9F));
        assertEquals("", decoder.push(0x98));
        assertEquals("😀", decoder.push(0x80));
        assertEquals("", decoder.push(0xE4));
        assertEquals("\uFFFDa", decoder.push('a'));
        assertEquals("", decoder.push(0xE4));
        assertEquals("\uFFFD", decoder.flush());
        assertEquals("", decoder.flush());
        assertEquals("b", decoder.push('b'));
    }

    @Test
    void streamsCanSkipSpecialTokens() {
        Tokenizer tokenizer = TokenizerFixtures.load("remora-tiny");
        int[] ids = tokenizer.encode("<｜User｜>Hi<｜end▁of▁sentence｜>");
        StreamingDecoder decoder = tokenizer.newDecoder(true);
        StringBuilder text = new StringBuilder();
        Arrays.stream(ids).forEach(id -> text.append(decoder.push(id)));
        assertEquals("Hi", text.append(decoder.flush()).toString());
    }

    @Test
    void threadsShareATokenizer() throws Exception {
        Tokenizer shared = TokenizerFixtures.load("remora-tiny");
        Tokenizer alone = TokenizerFixtures.load("remora-tiny");
        Random random = new Random(4);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            texts.add(TokenizerFixtures.randomText(random, 60));
        }
        List<int[]> expected = texts.stream().map(alone::encode).toList();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Integer>> done = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                int offset = t * 50;
                done.add(threads.submit(() -> {
                    for (int i = 0; i < texts.size(); i++) {
                        int at = (i + offset) % texts.size();
                        assertArrayEquals(expected.get(at), shared.encode(texts.get(at)));
                        assertEquals(texts.get(at), shared.decode(expected.get(at)));
                    }
                    return texts.size();
                }));
            }
            for (Future<Integer> future : done) {
                assertEquals(texts.size(), future.get());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v3", "kimi-mini", "remora-tiny"})
    void longRunsNeitherOverflowNorTakeForever(String name) {
        Tokenizer tokenizer = TokenizerFixtures.load(name);
        for (String unit : List.of("a", "A", " ", "\n", " \n", "!", "1", "中", "é", "😀", "aB", "\u0301", "'s", "<|")) {
            String text = unit.repeat((unit.equals("a") || unit.equals(" ") ? 1_000_000 : 200_000) / unit.length());
            int[] ids = tokenizer.encode(text);
            assertTrue(text.equals(tokenizer.decode(ids)), unit);
            assertFalse(ids.length == 0);
        }
        String spacesThenLetter = " ".repeat(500_000) + "x";
        assertTrue(spacesThenLetter.equals(tokenizer.decode(tokenizer.encode(spacesThenLetter))));
        Random random = new Random(5);
        StringBuilder letters = new StringBuilder();
        random.ints(1_000_000, 'a', 'z' + 1).forEach(c -> letters.append((char) c));
        String word = letters.toString();
        assertTrue(word.equals(tokenizer.decode(tokenizer.encode(word))));
    }
}
