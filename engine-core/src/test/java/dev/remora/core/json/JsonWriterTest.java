package dev.remora.core.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonWriterTest {
    @Test
    void whatIsWrittenParsesBackEqual() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("z", "line\nbreak \"quoted\" \\ \u0001 \u2028 naïve 日本 😀");
        value.put("a", Arrays.asList(1L, -7L, new BigInteger("123456789012345678901234567890"), 0.1, null, true));
        value.put("empty", Map.of());
        String json = JsonWriter.write(value);
        assertEquals(-1, json.indexOf('\n'), json);
        assertEquals(value, Json.parse(json, "test"));
        JsonObject parsed = JsonObject.of(Json.parse(json, "test"), "test");
        assertEquals(List.copyOf(value.keySet()), List.copyOf(parsed.keys()));
    }

    @Test
    void arraysOfNumbersAndNumbersThatJsonLacks() {
        assertEquals("[3,0,-1]", JsonWriter.write(new int[] {3, 0, -1}));
        assertEquals("[0.1,null]", JsonWriter.write(new float[] {0.1f, Float.NEGATIVE_INFINITY}));
        assertEquals("[null,null]", JsonWriter.write(List.of(Double.NaN, Float.NaN)));
    }

    @Test
    void indentedItIsTheSameValueOverSeveralLines() {
        String text = "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":\"x\"}}";
        String indented = JsonWriter.indented(Json.parse(text, "text"));
        assertEquals(7, indented.lines().count(), indented);
        assertEquals(text, JsonWriter.write(Json.parse(indented, "indented")));
    }

    @Test
    void otherTypesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> JsonWriter.write(new Object()));
    }
}
