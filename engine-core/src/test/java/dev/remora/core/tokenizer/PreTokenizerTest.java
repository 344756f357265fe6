package dev.remora.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each pre-tokenizer of tokenizer.json. Pieces are written with bars between them. */
class PreTokenizerTest {

    private static void assertPieces(String expected, String preTokenizer, String text) {
        assertEquals(expected, String.join("|", TokenizerFixtures.pieces(preTokenizer, text)));
    }

    private static String split(String pattern, String behavior, boolean invert) {
        return "{\"type\":\"Split\",\"pattern\":" + pattern + ",\"behavior\":\"" + behavior + "\",\"invert\":" + invert
                + "}";
    }

    @ParameterizedTest
    @CsvSource({
        "Isolated, false, -|-|a|-|b|-",
        "Removed, false, a|b",
        "Contiguous, false, --|a|-|b|-",
        "MergedWithPrevious, false, -|-|a-|b-",
        "MergedWithNext, false, -|-a|-b|-",
        "Isolated, true, -|-|a|-|b|-",
        "Removed, true, -|-|-|-",
        "MergedWithNext, true, -|-|a-|b-"
    })
    void splitBehaviors(String behavior, boolean invert, String expected) {
        // Inverted, each "-" is a stretch of its own between two empty matches of "not -" only where the pattern says
        // so.
        assertPieces(expected, split("{\"String\":\"-\"}", behavior, invert), "--a-b-");
    }

    @Test
    void splitByRegexSeesOnlyItsPiece() {
        String sequence = "{\"type\":\"Sequence\",\"pretokenizers\":["
                + split("{\"Regex\":\"\\\\p{N}\"}", "Isolated", false) + ","
                + split("{\"Regex\":\"\\\\s+(?!\\\\S)|\\\\s+|\\\\S+\"}", "Isolated", false) + "]}";
        // To the second split the text ends before the digit, so the lookahead holds for both spaces.
        assertPieces("a|  |1| | |b", sequence, "a  1  b");
    }

    @Test
    void digits() {
        assertPieces("a|1|2|b|½", "{\"type\":\"Digits\",\"individual_digits\":true}", "a12b½");
        assertPieces("a|12|b|½", "{\"type\":\"Digits\",\"individual_digits\":false}", "a12b½");
    }

    @Test
    void whiteSpaceAndPunctuation() {
        assertPieces("a_b|,|-|c", "{\"type\":\"Whitespace\"}", " a_b,\u3000- c");
        assertPieces("a_b,|-|c", "{\"type\":\"WhitespaceSplit\"}", " a_b,\u3000- c");
        assertPieces("a|,|。|b", "{\"type\":\"Punctuation\"}", "a,。b");
        assertPieces("a|,。|b", "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}", "a,。b");
        assertPieces("a|,|b", "{\"type\":\"BertPreTokenizer\"}", "a, b ");
        assertPieces("a|b", "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\".\"}", "a.b.");
    }

    @Test
    void byteLevel() {
        String withRegex = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true}";
        assertPieces(" It|'s|  | 12| days|!", withRegex, "It's   12 days!");
        assertPieces(" x", withRegex, " x");
    }

    @ParameterizedTest
    @CsvSource({"always, true, ▁a|▁|▁b", "first, true, ▁a|▁|▁b", "never, true, a|▁|▁b", "never, false, a▁▁b"})
    void metaspace(String scheme, boolean split, String expected) {
        assertPieces(
                expected,
                "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"" + scheme + "\",\"split\":" + split
                        + "}",
                "a  b");
    }

    @Test
    void metaspacePrependsOnlyAtTheStart() {
        String sequence = "{\"type\":\"Sequence\",\"pretokenizers\":[" + split("{\"String\":\",\"}", "Isolated", false)
                + ",{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"first\"}]}";
        assertPieces("▁a|,|b", sequence, "a,b");
    }

    @Test
    void unsupportedAndBrokenComponentsAreNamed() {
        UnsupportedModelException unsupported = assertThrows(
                UnsupportedModelException.class, () -> TokenizerFixtures.pieces("{\"type\":\"UnicodeScripts\"}", "x"));
        assertEquals(
                "tokenizer.json: pre_tokenizer: the pre-tokenizer UnicodeScripts is not supported",
                unsupported.getMessage());
        String after = "{\"type\":\"Sequence\",\"pretokenizers\":[" + TokenizerFixtures.BYTE_LEVEL
                + ",{\"type\":\"Digits\"}]}";
        assertEquals(
                "tokenizer.json: pre_tokenizer: pretokenizers[1]: Digits after ByteLevel is not supported; ByteLevel must"
                        + " come last",
                assertThrows(UnsupportedModelException.class, () -> TokenizerFixtures.pieces(after, "x"))
                        .getMessage());
        for (String broken : List.of(
                split("{\"String\":\"x\"}", "Sometimes", false),
                "{\"type\":\"Metaspace\",\"replacement\":\"ab\"}",
                "{\"type\":\"Metaspace\",\"replacement\":\"a\",\"prepend_scheme\":\"last\"}",
                "{\"type\":\"Split\",\"behavior\":\"Isolated\"}",
                "{\"type\":17}",
                "{}")) {
            CheckpointException e =
                    assertThrows(CheckpointException.class, () -> TokenizerFixtures.pieces(broken, "x"), broken);
            assertEquals("tokenizer.json: pre_tokenizer: ", e.getMessage().substring(0, 31));
        }
    }
}
