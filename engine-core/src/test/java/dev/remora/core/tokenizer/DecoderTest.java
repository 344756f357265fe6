package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From tokens back to text. */
class DecoderTest {
    private static final String LLAMA = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":"
            + "{\"String\":\"▁\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
            + "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}";

    private static JsonObject json(String text) {
        return Json.object(TokenizerFixtures.utf8(text), "tokenizer.json: decoder");
    }

    private static String decode(String decoder, String... tokens) {
        TokenDecoder.Stream stream =
                DecoderReader.read(decoder == null ? null : json(decoder)).open();
        StringBuilder out = new StringBuilder();
        for (String token : tokens) {
            stream.push(token, out);
        }
        stream.finish(out);
        return out.toString();
    }

    /** How many U+FFFD: Unicode 16, tables 3-8 to 3-11, and the edges of each range. */
    @ParameterizedTest
    @CsvSource({
        "C0AFE080BFF0818241, ��������A",
        "EDA080EDBFBFEDAF41, ��������A",
        "F4919293FF4180BF42, �����A��B",
        "E180E2F09192F1BF41, ����A",
        "F0908080, 𐀀",
        "F48FBFBF, \uDBFF\uDFFF",
        "EE8080, \uE000",
        "C3, �",
        "F09F98, �",
        "F09F9841, �A"
    })
    void brokenUtf8(String hex, String expected) {
        Utf8Assembler assembler = new Utf8Assembler();
        StringBuilder out = new StringBuilder();
        for (byte b : HexFormat.of().parseHex(hex)) {
            assembler.push(b, out);
        }
        assembler.flush(out);
        assertEquals(expected, out.toString());
    }

    @Test
    void validUtf8IsUnchanged() {
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            String text = TokenizerFixtures.randomText(random, 20);
            Utf8Assembler assembler = new Utf8Assembler();
            StringBuilder out = new StringBuilder();
            for (byte b : TokenizerFixtures.utf8(text)) {
                assembler.push(b, out);
            }
            assertEquals(text, out.toString());
        }
    }

    @Test
    void byteLevelTokensOutsideOfTheAlphabetAreTheirOwnText() {
        assertEquals(" a<｜x｜>é", decode("{\"type\":\"ByteLevel\"}", "Ġa", "<｜x｜>", "Ã", "©"));
        assertEquals(" a", decode("{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteLevel\"}]}", "Ġa"));
    }

    @Test
    void sentencepieceStyle() {
        assertEquals("Hello world", decode(LLAMA, "▁Hello", "▁world"));
        assertEquals(" x", decode(LLAMA, "▁▁x"));
        assertEquals("中!", decode(LLAMA, "<0xE4>", "<0xB8>", "<0xAD>", "!"));
        assertEquals("��!", decode(LLAMA, "<0xE4>", "<0xB8>", "!"));
        assertEquals("a  b", decode(LLAMA, "a", "▁", "▁b"));
        TokenDecoder decoder = DecoderReader.read(json(LLAMA));
        assertArrayEquals(new byte[] {(byte) 0xE4}, decoder.bytes("<0xE4>"));
        assertArrayEquals(TokenizerFixtures.utf8(" a"), decoder.bytes("▁a"));
    }

    @Test
    void metaspaceAndNone() {
        assertEquals("a b", decode("{\"type\":\"Metaspace\",\"replacement\":\"▁\"}", "▁a", "▁b"));
        assertEquals(
                " a b",
                decode("{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"never\"}", "▁a", "▁b"));
        assertEquals("a b", decode(null, "a", "b"));
        assertEquals("xb", decode("{\"type\":\"Strip\",\"content\":\"a\",\"start\":1,\"stop\":1}", "axa", "aba"));
    }

    @Test
    void unsupportedIsNamed() {
        for (String decoder : List.of(
                "{\"type\":\"WordPiece\"}",
                "{\"type\":\"CTC\"}",
                "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":\"Replace\"}]}",
                "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},"
                        + "{\"type\":\"Strip\",\"content\":\" \",\"start\":0,\"stop\":1}]}")) {
            String message = assertThrows(UnsupportedModelException.class, () -> decode(decoder))
                    .getMessage();
            assertEquals("tokenizer.json: decoder: ", message.substring(0, 25));
        }
    }
}
