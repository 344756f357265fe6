package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The answers of the reference implementations. */
class TokenizerGoldenTest {

    @ParameterizedTest
    @CsvSource({"deepseek-v3, 240", "kimi-mini, 241"})
    void idsAndTextsAreThoseOfTheReference(String name, int cases) {
        Tokenizer tokenizer = TokenizerFixtures.load(name);
        byte[] golden = TokenizerFixtures.resource("/goldens/" + name + ".tokens.jsonl.gz");
        List<String> lines = new String(golden, StandardCharsets.UTF_8).lines().toList();
        assertEquals(cases, lines.size());
        for (String line : lines) {
            JsonObject golden1 = Json.object(TokenizerFixtures.utf8(line), name);
            int[] ids = golden1.array("ids").stream()
                    .mapToInt(id -> ((Number) id).intValue())
                    .toArray();
            assertArrayEquals(ids, tokenizer.encode(golden1.string("text")), line);
            assertEquals(golden1.string("decoded"), tokenizer.decode(ids), line);
            assertEquals(golden1.string("decoded"), stream(tokenizer.newDecoder(), ids), line);
        }
    }

    private static String stream(StreamingDecoder decoder, int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.push(id));
        }
        return text.append(decoder.flush()).toString();
    }

    @Test
    void bundledPromptsAndAnswersAreThoseOfTheReference() {
        Tokenizer tokenizer = TokenizerFixtures.load("remora-tiny");
        List<?> prompts = (List<?>) Json.parse(TokenizerFixtures.file("golden.json"), "golden.json");
        ByteBuffer file =
                ByteBuffer.wrap(TokenizerFixtures.file("golden.safetensors")).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(file.getLong(0));
        JsonObject tensors = Json.object(Arrays.copyOfRange(file.array(), 8, 8 + header), "golden.safetensors");
        assertEquals(5, prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            JsonObject golden = JsonObject.of(prompts.get(i), "golden.json");
            int[] ids = tensor(file, 8 + header, tensors.object("case" + i + ".ids"));
            int promptLength = tensor(file, 8 + header, tensors.object("case" + i + ".prompt_length"))[0];
            assertArrayEquals(Arrays.copyOf(ids, promptLength), tokenizer.encode(golden.string("prompt")));
            assertEquals(golden.string("greedy"), tokenizer.decode(ids, promptLength, ids.length));
        }
    }

    private static int[] tensor(ByteBuffer file, int data, JsonObject tensor) {
        int from = data + ((Number) tensor.array("data_offsets").get(0)).intValue();
        int to = data + ((Number) tensor.array("data_offsets").get(1)).intValue();
        int[] values = new int[(to - from) / 4];
        file.slice(from, to - from).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(values);
        return values;
    }

    @Test
    void specialTokensAreRead() {
        assertEquals(
                new SpecialTokens(OptionalInt.of(0), OptionalInt.of(1), OptionalInt.of(1), true, false),
                TokenizerFixtures.load("deepseek-v3").specialTokens());
        assertEquals(
                new SpecialTokens(OptionalInt.of(0), OptionalInt.of(1), OptionalInt.of(2), true, false),
                TokenizerFixtures.load("remora-tiny").specialTokens());
        assertEquals(
                new SpecialTokens(OptionalInt.of(12256), OptionalInt.of(12257), OptionalInt.of(12257), false, false),
                TokenizerFixtures.load("kimi-mini").specialTokens());
    }

    @Test
    void controlTokensInOrdinaryTextStayText() {
        for (String name : List.of("deepseek-v3", "kimi-mini", "remora-tiny")) {
            Tokenizer tokenizer = TokenizerFixtures.load(name);
            int eos = tokenizer.specialTokens().eos().getAsInt();
            String text = "a" + tokenizer.token(eos) + "b";
            assertEquals(
                    1,
                    Arrays.stream(tokenizer.encode(text))
                            .filter(id -> id == eos)
                            .count());
            int[] ids = tokenizer.encodeOrdinary(text);
            assertTrue(Arrays.stream(ids).noneMatch(id -> id == eos), name);
            assertEquals(text, tokenizer.decode(ids));
        }
    }

    @Test
    void tokensHaveNamesBytesAndIds() {
        Tokenizer tokenizer = TokenizerFixtures.load("deepseek-v3");
        assertEquals(128815, tokenizer.vocabSize());
        int the = tokenizer.idOf("Ġthe").getAsInt();
        assertArrayEquals(TokenizerFixtures.utf8(" the"), tokenizer.bytes(the));
        assertEquals("Ġthe", tokenizer.token(the));
        int user = tokenizer.idOf("<｜User｜>").getAsInt();
        assertArrayEquals(TokenizerFixtures.utf8("<｜User｜>"), tokenizer.bytes(user));
        assertEquals(OptionalInt.empty(), tokenizer.idOf("no such token"));
        assertTrue(tokenizer.isSpecial(0));
        assertFalse(tokenizer.isSpecial(the));
        assertFalse(tokenizer.isSpecial(-1));
    }

    @Test
    void kimiReservesNamesForUnlistedIds() {
        Tokenizer tokenizer = TokenizerFixtures.load("kimi-mini");
        assertEquals(12256 + 256, tokenizer.vocabSize());
        assertEquals("<|reserved_token_12300|>", tokenizer.token(12300));
        assertArrayEquals(new int[] {12300, 12263}, tokenizer.encode("<|reserved_token_12300|>[EOT]"));
        assertTrue(tokenizer.isSpecial(12300));
        assertTrue(tokenizer.isSpecial(12256));
    }
}
