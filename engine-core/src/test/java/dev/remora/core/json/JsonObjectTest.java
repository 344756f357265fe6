package dev.remora.core.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonObjectTest {
    private static final JsonObject OBJECT = object("""
            {"int": 7, "integral": 7.0, "negative": -2147483648, "double": 0.5, "true": true, "text": "t",
             "list": [1, "a"], "object": {"inner": "x"}, "null": null,
             "huge": 9223372036854775808, "infinite": 1e400, "long": 2147483648, "minusZero": -0}
            """);

    @Test
    void valuesAreGivenByType() {
        assertEquals(7, OBJECT.integer("int"));
        assertEquals(7, OBJECT.integer("integral"));
        assertEquals(Integer.MIN_VALUE, OBJECT.integer("negative"));
        assertEquals(0, OBJECT.integer("minusZero"));
        assertEquals(0.5, OBJECT.number("double"));
        assertEquals(7.0, OBJECT.number("int"));
        assertEquals(0x1p63, OBJECT.number("huge"));
        assertTrue(OBJECT.bool("true", false));
        assertEquals("t", OBJECT.string("text"));
        assertEquals(List.of(1L, "a"), OBJECT.array("list"));
        assertEquals("x", OBJECT.object("object").string("inner"));
        assertEquals("config.json", OBJECT.source());
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing", "null"})
    void aFallbackStandsForMissingAndNull(String key) {
        assertFalse(OBJECT.has(key));
        assertEquals(3, OBJECT.integer(key, 3));
        assertEquals(0.25, OBJECT.number(key, 0.25));
        assertTrue(OBJECT.bool(key, true));
        assertEquals("f", OBJECT.string(key, "f"));
    }

    @Test
    void aMissingKeyIsNamed() {
        assertMessage("config.json: k: expected an integer, found no such key", () -> OBJECT.integer("k"));
        assertMessage("config.json: k: expected a number, found no such key", () -> OBJECT.number("k"));
        assertMessage("config.json: k: expected a string, found no such key", () -> OBJECT.string("k"));
        assertMessage("config.json: k: expected an array, found no such key", () -> OBJECT.array("k"));
        assertMessage("config.json: k: expected an object, found no such key", () -> OBJECT.object("k"));
    }

    @Test
    void nullIsNamed() {
        assertMessage("config.json: null: expected an integer, found null", () -> OBJECT.integer("null"));
        assertMessage("config.json: null: expected a number, found null", () -> OBJECT.number("null"));
        assertMessage("config.json: null: expected a string, found null", () -> OBJECT.string("null"));
        assertMessage("config.json: null: expected an array, found null", () -> OBJECT.array("null"));
        assertMessage("config.json: null: expected an object, found null", () -> OBJECT.object("null"));
    }

    @Test
    void anIllTypedValueIsShownEvenWhereThereIsAFallback() {
        assertMessage(
                "config.json: text: expected an integer of 32 bits, found \"t\"", () -> OBJECT.integer("text", 1));
        assertMessage("config.json: double: expected an integer of 32 bits, found 0.5", () -> OBJECT.integer("double"));
        assertMessage("config.json: true: expected a finite number, found true", () -> OBJECT.number("true", 1));
        assertMessage("config.json: int: expected true or false, found 7", () -> OBJECT.bool("int", true));
        assertMessage("config.json: list: expected a string, found an array", () -> OBJECT.string("list", "f"));
        assertMessage("config.json: object: expected an array, found an object", () -> OBJECT.array("object"));
        assertMessage("config.json: text: expected an object, found \"t\"", () -> OBJECT.object("text"));
        assertMessage(
                "config.json: object: inner: expected an integer of 32 bits, found \"x\"",
                () -> OBJECT.object("object").integer("inner"));
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        assertMessage(
                "config.json: long: expected an integer of 32 bits, found 2147483648", () -> OBJECT.integer("long"));
        assertMessage(
                "config.json: huge: expected an integer of 32 bits, found 9223372036854775808",
                () -> OBJECT.integer("huge"));
        assertMessage(
                "config.json: infinite: expected an integer of 32 bits, found Infinity",
                () -> OBJECT.integer("infinite"));
        assertMessage(
                "config.json: infinite: expected a finite number, found Infinity", () -> OBJECT.number("infinite"));
    }

    @Test
    void aDocumentMustBeAnObject() {
        assertMessage("config.json: expected an object, found an array", () -> object("[]"));
        assertMessage("config.json: expected an object, found null", () -> object("null"));
        assertMessage(
                "config.json: expected an object, found \"" + "x".repeat(40) + "...\"",
                () -> object("\"" + "x".repeat(1000) + "\""));
    }

    private static JsonObject object(String text) {
        return Json.object(text.getBytes(StandardCharsets.UTF_8), "config.json");
    }

    private static void assertMessage(String message, Executable action) {
        assertEquals(message, assertThrows(CheckpointException.class, action).getMessage());
    }
}
