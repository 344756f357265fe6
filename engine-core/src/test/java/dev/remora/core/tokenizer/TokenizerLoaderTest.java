package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files: variants of what they may say, and what is said about broken ones. */
class TokenizerLoaderTest {

    private static final String VALID =
            TokenizerFixtures.smallJson("null", TokenizerFixtures.BYTE_LEVEL, TokenizerFixtures.BYTE_LEVEL, "");

    private static Tokenizer load(String json) {
        return TokenizerLoader.fromJson(TokenizerFixtures.utf8(json), "tokenizer.json");
    }

    private static JsonObject config(String json) {
        return Json.object(TokenizerFixtures.utf8(json), "tokenizer_config.json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "\"type\":\"BPE\" # \"type\":\"Unigram\" # tokenizer.json: model: expected BPE, found Unigram",
                "\"type\":\"BPE\" # \"type\":\"BPE\",\"dropout\":0.1 # tokenizer.json: model: dropout is not supported",
                "\"normalizer\":null # \"normalizer\":{\"type\":\"Nmt\"} # the normalizer Nmt is not supported",
                "\"type\":\"BPE\" # \"type\":\"BPE\",\"end_of_word_suffix\":\"x\" # not supported with ByteLevel"
            })
    void whatIsNotSupportedIsNamed(String part, String replacement, String message) {
        String json = VALID.replace(part.strip(), replacement.strip());
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class, () -> load(json));
        assertTrue(e.getMessage().startsWith("tokenizer.json: "), e.getMessage());
        assertTrue(e.getMessage().contains(message.strip()), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "\"t h\" # \"th\" # merges: entry 0: expected",
                "\"t h\" # \"t h e\" # merges: entry 0: expected",
                "\"t h\" # [\"t\"] # merges: entry 0: expected",
                "\"t h\" # 7 # merges: entry 0: expected",
                "\"t h\" # \"t zz\" # merges: entry 0: \"zz\" is not in the vocabulary",
                "\"t h\" # \"h t\" # merges: entry 0: \"ht\" is not in the vocabulary",
                "\"th\":256 # \"th\":255 # id 255 belongs to two tokens",
                "\"th\":256 # \"th\":-1 # expected an id from 0 to 16777216, found -1",
                "\"th\":256 # \"th\":99999999 # expected an id from 0 to 16777216, found 99999999",
                "\"th\":256 # \"th\":\"x\" # model: vocab: th: expected an integer of 32 bits, found \"x\"",
                "\"model\": # \"modle\": # model: expected an object, found no such key",
                "\"vocab\": # \"vocabulary\": # model: vocab: expected an object, found no such key",
                "\"added_tokens\":[] # \"added_tokens\":[7] # added_tokens[0]: expected an object, found 7",
                "\"added_tokens\":[] # \"added_tokens\":[{\"id\":3,\"content\":\"the\"}] # has id 3, but the vocabulary"
                        + " gives it 257",
                "\"added_tokens\":[] # \"added_tokens\":[{\"id\":3,\"content\":\"<x>\"}] # id 3 belongs to two tokens",
                "\"type\":\"BPE\" # \"type\":\"BPE\",\"unk_token\":\"<unk>\" # unk_token: \"<unk>\" is not in the"
                        + " vocabulary",
                "{\"added_tokens\" # {{\"added_tokens\" # invalid JSON"
            })
    void brokenFilesAreExplained(String part, String replacement, String message) {
        assertTrue(VALID.contains(part.strip()), part);
        String json = VALID.replace(part.strip(), replacement.strip());
        CheckpointException e = assertThrows(CheckpointException.class, () -> load(json));
        assertTrue(e.getMessage().startsWith("tokenizer.json"), e.getMessage());
        assertTrue(e.getMessage().contains(message.strip()), e.getMessage());
    }

    @Test
    void truncatedFilesAreErrorsOfOurs() {
        byte[] bytes = TokenizerFixtures.utf8(VALID);
        for (int length = 0; length < bytes.length; length += 13) {
            byte[] part = java.util.Arrays.copyOf(bytes, length);
            assertThrows(RemoraException.class, () -> TokenizerLoader.fromJson(part, "tokenizer.json"));
        }
    }

    @Test
    void wholeWordsComeFirstWhereTheFileSaysSo() {
        // "he" is a token that no merge makes.
        String json = VALID.replace("\"Ġthe\":258", "\"Ġthe\":258,\"he\":259");
        assertArrayEquals(new int[] {'h', 'e'}, load(json).encode("he"));
        String ignoring = json.replace("\"type\":\"BPE\"", "\"type\":\"BPE\",\"ignore_merges\":true");
        assertArrayEquals(new int[] {259}, load(ignoring).encode("he"));
        assertArrayEquals(new int[] {257, 'h', 'e'}, load(ignoring).encode("thehe"));
    }

    @Test
    void symbolsThatTheVocabularyLacks() {
        String json =
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"?\":1,\"<0xC3>\":2,\"<0xA9>\":3},\"merges\":[]}}";
        assertArrayEquals(new int[] {0, 0}, load(json).encode("abba"));
        String unknown = json.replace("\"merges\"", "\"unk_token\":\"?\",\"merges\"");
        assertArrayEquals(new int[] {0, 1, 1, 0}, load(unknown).encode("abba"));
        String fused = unknown.replace("\"merges\"", "\"fuse_unk\":true,\"merges\"");
        assertArrayEquals(new int[] {0, 1, 0}, load(fused).encode("abba"));
        String bytes = fused.replace("\"merges\"", "\"byte_fallback\":true,\"merges\"");
        assertArrayEquals(new int[] {1, 2, 3, 1}, load(bytes).encode("béb"));
    }

    @Test
    void prefixesAndSuffixesOfSubwords() {
        String json = "{\"model\":{\"type\":\"BPE\",\"continuing_subword_prefix\":\"##\",\"vocab\":{\"a\":0,\"##b\":1,"
                + "\"ab\":2,\"##c\":3,\"abc\":4},\"merges\":[\"a ##b\",\"ab ##c\"]}}";
        assertArrayEquals(new int[] {4}, load(json).encode("abc"));
        String suffix = "{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\",\"vocab\":{\"a\":0,\"b</w>\":1,"
                + "\"ab</w>\":2},\"merges\":[\"a b</w>\"]}}";
        assertArrayEquals(new int[] {0, 2}, load(suffix).encode("aab"));
    }

    @Test
    void templateNamesTheTokensThatTheConfigDoesNot() {
        String json = TokenizerFixtures.smallJson(
                        "null",
                        TokenizerFixtures.BYTE_LEVEL,
                        TokenizerFixtures.BYTE_LEVEL,
                        "{\"id\":259,\"content\":\"<s>\",\"special\":true}")
                .replace(
                        "\"normalizer\":null",
                        "\"normalizer\":null,\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":"
                                + "\"ByteLevel\"},{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
                                + "\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]}]}");
        assertEquals(
                new SpecialTokens(OptionalInt.of(259), OptionalInt.empty(), OptionalInt.empty(), true, false),
                load(json).specialTokens());
        Tokenizer configured = TokenizerLoader.fromJson(
                TokenizerFixtures.utf8(json),
                "tokenizer.json",
                config("{\"add_bos_token\":false,\"eos_token\":{\"content\":\"the\"},\"pad_token\":null}"));
        assertEquals(
                new SpecialTokens(OptionalInt.of(259), OptionalInt.of(257), OptionalInt.empty(), false, false),
                configured.specialTokens());
    }

    @Test
    void configAddsTokensThatTheFileLacks() {
        Tokenizer tokenizer = TokenizerLoader.fromJson(
                TokenizerFixtures.utf8(VALID),
                "tokenizer.json",
                config("{\"added_tokens_decoder\":{\"259\":{\"content\":\"<x>\",\"special\":true},"
                        + "\"257\":{\"content\":\"the\"}}}"));
        assertArrayEquals(new int[] {'a', 259}, tokenizer.encode("a<x>"));
        assertTrue(tokenizer.isSpecial(259));
    }

    @Test
    void idsWithoutTokens() {
        Tokenizer tokenizer = load(VALID);
        assertEquals("ab", tokenizer.decode(new int[] {'a', 5000, 'b'}));
        assertArrayEquals(new byte[0], tokenizer.bytes(5000));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.token(5000));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {-1}));
        assertThrows(
                IllegalArgumentException.class, () -> tokenizer.newDecoder().push(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> tokenizer.decode(new int[1], 0, 2));
    }

    private static String ranks() {
        StringBuilder ranks = new StringBuilder();
        for (int b = 0; b < 256; b++) {
            ranks.append(Base64.getEncoder().encodeToString(new byte[] {(byte) b}))
                    .append(' ')
                    .append(b)
                    .append('\n');
        }
        return ranks + Base64.getEncoder().encodeToString(TokenizerFixtures.utf8("the")) + " 256\r\n";
    }

    private static Tokenizer tiktoken(String ranks, String config) {
        return TokenizerLoader.fromTiktoken(
                ranks.getBytes(StandardCharsets.US_ASCII), "tiktoken.model", config(config));
    }

    @Test
    void tiktokenTakesWholeWordsFirst() {
        Tokenizer tokenizer = tiktoken(ranks(), "{\"added_tokens_decoder\":{\"600\":{\"content\":\"<far>\"}}}");
        assertArrayEquals(new int[] {256}, tokenizer.encode("the"));
        assertArrayEquals(new int[] {' ', 't', 'h', 'e', 600}, tokenizer.encode(" the<far>"));
        assertEquals(601, tokenizer.vocabSize());
    }

    @Test
    void tiktokenCutsLongRunsAsPublished() {
        // 25,000 letters to a chunk: the word is cut there, and "the" is a whole word behind the cut only.
        String text = "a".repeat(25_000) + "the";
        int[] ids = tiktoken(ranks(), "{}").encode(text);
        assertEquals(25_001, ids.length);
        assertEquals(256, ids[25_000]);
        String oneLess = "a".repeat(24_997) + "the";
        assertEquals(25_000, tiktoken(ranks(), "{}").encode(oneLess).length);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "dGhl 256 # dGhl # tiktoken.model: line 257: expected a token in base64, a space and its rank",
                "dGhl 256 # dGhl x # tiktoken.model: line 257: expected a token in base64, a space and its rank",
                "dGhl 256 # d*hl 256 # tiktoken.model: line 257: the token is not base64",
                "dGhl 256 # dGhl 255 # tiktoken.model: expected each rank from 0 to 256 once, found 255 twice",
                "dGhl 256 # dGhl 300 # tiktoken.model: expected each rank from 0 to 256 once, found 300",
                "dGhl 256 # YQ== 256 # tiktoken.model: ranks 97 and 256 have the same token, a"
            })
    void brokenTiktokenFilesAreExplained(String part, String replacement, String message) {
        String ranks = ranks().replace(part.strip(), replacement.strip());
        assertEquals(
                message.strip(),
                assertThrows(CheckpointException.class, () -> tiktoken(ranks, "{}"))
                        .getMessage());
    }

    @Test
    void tiktokenConfigsThatDoNotFit() {
        assertEquals(
                "tokenizer_config.json: tokenizer_class: expected TikTokenTokenizer beside tiktoken.model, found Qwen",
                assertThrows(UnsupportedModelException.class, () -> tiktoken(ranks(), "{\"tokenizer_class\":\"Qwen\"}"))
                        .getMessage());
        assertEquals(
                "tokenizer_config.json: added_tokens_decoder: expected ids from 257, the number of ranks, found 5 for"
                        + " \"<x>\"",
                assertThrows(
                                CheckpointException.class,
                                () -> tiktoken(ranks(), "{\"added_tokens_decoder\":{\"5\":{\"content\":\"<x>\"}}}"))
                        .getMessage());
        assertThrows(
                CheckpointException.class,
                () -> tiktoken(ranks(), "{\"added_tokens_decoder\":{\"x\":{\"content\":\"<x>\"}}}"));
    }
}
