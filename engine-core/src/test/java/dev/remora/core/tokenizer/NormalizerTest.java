package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import org.junit.jupiter.api.Test;

/** Each normalizer of tokenizer.json. */
class NormalizerTest {

    private static JsonObject json(String text) {
        return Json.object(TokenizerFixtures.utf8(text), "tokenizer.json: normalizer");
    }

    private static void assertNormalized(String expected, String normalizer, String text) {
        assertEquals(
                expected, NormalizerReader.read(json(normalizer)).orElseThrow().normalize(text));
    }

    @Test
    void unicodeForms() {
        assertNormalized("é", "{\"type\":\"NFC\"}", "e\u0301");
        assertNormalized("e\u0301", "{\"type\":\"NFD\"}", "é");
        assertNormalized("fi", "{\"type\":\"NFKC\"}", "ﬁ");
        assertNormalized("e\u03011", "{\"type\":\"NFKD\"}", "é①");
    }

    @Test
    void lowercaseGoesCharacterByCharacter() {
        assertNormalized("aσ i\u0307ß", "{\"type\":\"Lowercase\"}", "AΣ İß");
    }

    @Test
    void stripsAccentsAndSpace() {
        assertNormalized("e", "{\"type\":\"StripAccents\"}", "e\u0301\u0302");
        assertNormalized("a b", "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}", "\u3000 a b\n ");
        assertNormalized("a ", "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":false}", " a ");
        assertNormalized(" a", "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}", " a ");
        assertNormalized("", "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}", "  ");
    }

    @Test
    void replacesAndPrepends() {
        assertNormalized("a.b.c", "{\"type\":\"Replace\",\"pattern\":{\"String\":\"$\"},\"content\":\".\"}", "a$b$c");
        assertNormalized(
                "a$1b", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s+\"},\"content\":\"$1\"}", "a \n b");
        assertNormalized("▁a", "{\"type\":\"Prepend\",\"prepend\":\"▁\"}", "a");
        assertNormalized("", "{\"type\":\"Prepend\",\"prepend\":\"▁\"}", "");
    }

    @Test
    void sequencesRunInOrder() {
        assertNormalized(
                "e",
                "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFD\"},{\"type\":\"StripAccents\"},"
                        + "{\"type\":\"Lowercase\"}]}",
                "É");
        assertTrue(NormalizerReader.read(json("{\"type\":\"Sequence\",\"normalizers\":[]}"))
                .isEmpty());
        assertTrue(NormalizerReader.read(null).isEmpty());
    }

    @Test
    void unsupportedIsNamed() {
        UnsupportedModelException e = assertThrows(
                UnsupportedModelException.class, () -> NormalizerReader.read(json("{\"type\":\"Precompiled\"}")));
        assertEquals("tokenizer.json: normalizer: the normalizer Precompiled is not supported", e.getMessage());
    }
}
