package dev.remora.core.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void valuesBecomePlainJava() {
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("b", List.of(1L, -2.5, "é\n", true, false));
        expected.put("a", null);
        expected.put("", Map.of());
        Object parsed = Json.parse(" {\"b\": [1, -2.5, \"\\u00e9\\n\", true, false], \"a\": null, \"\": {}} ", "x");
        assertEquals(expected, parsed);
        assertEquals(
                List.of("b", "a", ""), List.copyOf(JsonObject.of(parsed, "x").keys()), "in the order of the file");
    }

    @Test
    void numbersKeepTheirValue() {
        assertEquals(0L, Json.parse("-0", "x"));
        assertEquals(-0.0, Json.parse("-0.0", "x"));
        assertEquals(Long.MAX_VALUE, Json.parse("9223372036854775807", "x"));
        assertEquals(Long.MIN_VALUE, Json.parse("-9223372036854775808", "x"));
        assertEquals(BigInteger.TWO.pow(63), Json.parse("9223372036854775808", "x"));
        assertEquals(Double.POSITIVE_INFINITY, Json.parse("1e400", "x"));
        assertEquals(0.0, Json.parse("1e-400", "x"));
        assertEquals(1e-6, Json.parse("1e-06", "x"));
        assertEquals(Double.MAX_VALUE, Json.parse("1.7976931348623157e308", "x"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ``                | expected JSON, found an empty document
            `  `              | expected JSON, found an empty document
            {                 | invalid JSON: Unexpected end-of-input: expected close marker for Object (line 1, column 2)
            {"a":             | invalid JSON: Unexpected end-of-input
            "a                | invalid JSON: Unexpected end-of-input
            [1,]              | invalid JSON: Unexpected character (']'
            {"a": 1, "a": 2}  | invalid JSON: Duplicate Object property "a" (line 1, column 13)
            {a: 1}            | invalid JSON: Unexpected character ('a'
            tru               | invalid JSON: Unrecognized token 'tru'
            NaN               | invalid JSON: Non-standard token 'NaN'
            01                | invalid JSON: Invalid numeric value
            [1] 2             | unexpected text after the JSON value
            """)
    void badTextIsRefusedWithItsPlace(String text, String message) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> Json.parse(text, "config.json"));
        assertTrue(e.getMessage().startsWith("config.json: " + message), e.getMessage());
    }

    @Test
    void invalidUtf8IsRefused() {
        byte[] bytes = {'"', (byte) 0xC3, '"'};
        CheckpointException e = assertThrows(CheckpointException.class, () -> Json.parse(bytes, "x"));
        assertTrue(e.getMessage().startsWith("x: invalid JSON: Invalid UTF-8"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "{\"a\":", "[{\"a\":"})
    void deepNestingIsRefusedAndDoesNotOverflowTheStack(String open) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> Json.parse(open.repeat(200_000), "x"));
        assertTrue(e.getMessage().startsWith("x: invalid JSON: Document nesting depth (501)"), e.getMessage());
    }

    @Test
    void nestingThatFilesHaveIsRead() {
        Object value = Json.parse("[".repeat(400) + "]".repeat(400), "x");
        for (int depth = 1; depth < 400; depth++) {
            value = ((List<?>) value).getFirst();
        }
        assertEquals(List.of(), value);
    }

    @Test
    void aNumberOfManyDigitsIsRefused() {
        CheckpointException e = assertThrows(CheckpointException.class, () -> Json.parse("1".repeat(5000), "x"));
        assertTrue(e.getMessage().startsWith("x: invalid JSON: Number value length (5000)"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "\"quoted\" \\ / \b\f\n\r\t", "\0\u001f", "é 語 \uD83D\uDC20"})
    void quotedTextReadsBack(String text) {
        assertEquals(text, Json.parse(Json.quote(text), "x"));
    }

    @Test
    void damagedTextIsReadOrRefused() {
        byte[] sound = "{\"a\": {\"shape\": [1, 2], \"n\": -1.5e3, \"u\": \"\\u00e9é\"}, \"b\": [true, false, null]}"
                .getBytes(StandardCharsets.UTF_8);
        Random random = new Random(3);
        int refused = 0;
        for (int round = 0; round < 5000; round++) {
            byte[] bytes = Arrays.copyOf(sound, random.nextInt(4) == 0 ? random.nextInt(sound.length) : sound.length);
            for (int i = random.nextInt(3); i >= 0 && bytes.length > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                Json.parse(bytes, "x");
            } catch (CheckpointException e) {
                refused++;
            }
        }
        assertTrue(refused > 2500 && refused < 5000, "refused " + refused);
    }
}
