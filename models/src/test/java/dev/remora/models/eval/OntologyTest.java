package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OntologyTest {
    static final String SMALL = """
            {"labels": {
              "b.x": {"parent": "b"},
              "a": {"parent": null, "about": "first", "answers": "open"},
              "b": {"parent": null, "answers": "exact"},
              "b.y": {"parent": "b", "answers": "exact, except 'Name …'"},
              "b.y.z": {"parent": "b.y"}
            }}""";

    static Ontology small() {
        return parse(SMALL);
    }

    private static Ontology parse(String json) {
        return Ontology.parse(json.getBytes(StandardCharsets.UTF_8), "labels.json");
    }

    @Test
    void labelsStandInTheOrderOfTheTree() {
        Ontology small = small();
        assertEquals(List.of("a", "b", "b.x", "b.y", "b.y.z"), small.labels());
        assertEquals(List.of("b", "b.y", "b.y.z"), small.path("b.y.z"));
        assertEquals(2, small.depth("b.y.z"));
        assertEquals(3, small.levels());
        assertEquals("b", small.ancestor("b.y.z", 0));
        assertEquals("b.y", small.ancestor("b.y.z", 1));
        assertEquals("a", small.ancestor("a", 2));
        assertEquals("first", small.about("a"));
        assertEquals(Optional.empty(), small.parent("b"));
    }

    @Test
    void sumsRollUpTheTree() {
        var sums = small().rollUp(Map.of("b.y.z", 4, "b.x", 1, "b.y", 2), Integer::sum);
        assertEquals(Map.of("b", 7, "b.x", 1, "b.y", 6, "b.y.z", 4), sums);
        assertEquals(List.of("b", "b.x", "b.y", "b.y.z"), List.copyOf(sums.keySet()));
        assertThrows(IllegalArgumentException.class, () -> small().rollUp(Map.of("c", 1), Integer::sum));
    }

    @Test
    void whatIsJudgedExactlyIsInherited() {
        Ontology small = small();
        assertFalse(small.judgedExactly(text("a", "Who?")));
        assertTrue(small.judgedExactly(text("b.x", "Name one.")));
        assertTrue(small.judgedExactly(text("b.y.z", "Which?")));
        assertFalse(small.judgedExactly(text("b.y.z", "Name one.")));
        assertFalse(small.judgedExactly(new LabelledText("b.x", Optional.empty(), "a text", "test")));
    }

    private static LabelledText text(String label, String question) {
        return new LabelledText(label, Optional.of(question), "x", "test");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{\"labels\": {}} | labels.json: labels: expected at least one label",
                "{\"label\": {}} | labels.json: labels: expected an object, found no such key",
                "{\"labels\": {\"a\": {\"parent\": \"b\"}}} | labels.json: labels: a: parent: expected a label of this file",
                "{\"labels\": {\"a\": {\"parent\": \"a\"}}} | labels.json: labels: a: parent: expected a path to a root",
                "{\"labels\": {\"a\": {\"parent\": 1}}} | labels.json: labels: a: parent: expected a string, found 1",
                "{\"labels\": {\"a\": {\"answers\": \"maybe\"}}} | labels.json: labels: a: answers: expected exact, open",
            })
    void aBrokenFileIsNamed(String json, String message) {
        var e = assertThrows(CheckpointException.class, () -> parse(json));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }
}
