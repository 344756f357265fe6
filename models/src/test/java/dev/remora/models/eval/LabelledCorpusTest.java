package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LabelledCorpusTest {
    @Test
    void theBundledCorpusRollsUp() {
        LabelledCorpus corpus = LabelledCorpus.bundled();
        assertEquals(500, corpus.texts().size());
        Map<String, Integer> sizes = corpus.sizes();
        assertEquals(100, sizes.get("math"));
        assertEquals(14, sizes.get("math.addition"));
        assertEquals(200, sizes.get("reasoning"));
        assertEquals(500, sizes.get("reasoning") + sizes.get("language") + sizes.get("knowledge"));
        assertEquals(3, corpus.ontology().levels());
        assertEquals(7, corpus.first(7).texts().size());
        long exact =
                corpus.texts().stream().filter(corpus.ontology()::judgedExactly).count();
        long named = corpus.texts().stream()
                .filter(t -> t.question().orElse("").startsWith("Name "))
                .count();
        assertEquals(400 - named, exact, "all but the stories and the questions with several answers");
    }

    @Test
    void filesLieSideBySide(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("labels.json"), OntologyTest.SMALL);
        Path texts = folder.resolve("texts.jsonl");
        Files.writeString(texts, """
                {"label": "b.x", "user": "Who?", "assistant": "I."}

                {"label": "a", "text": "Once."}
                """);
        LabelledCorpus corpus = LabelledCorpus.read(texts);
        assertEquals(2, corpus.texts().size());
        assertEquals(
                new LabelledText("b.x", Optional.of("Who?"), "I.", texts + ", line 1"),
                corpus.texts().getFirst());
        assertEquals(
                new LabelledText("a", Optional.empty(), "Once.", texts + ", line 3"),
                corpus.texts().getLast());
        assertTrue(corpus.texts().getFirst().matches(" I.\n"));
        Files.delete(folder.resolve("labels.json"));
        var e = assertThrows(CheckpointException.class, () -> LabelledCorpus.read(texts));
        assertEquals(folder.resolve("labels.json") + ": no such file", e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{\"label\": \"c\", \"text\": \"x\"} | in, line 2: label: expected one of those in labels.json, found \"c\"",
                "{\"text\": \"x\"} | in, line 2: label: expected a string, found no such key",
                "{\"label\": \"a\"} | in, line 2: expected text, or user with assistant",
                "{\"label\": \"a\", \"user\": \"x\"} | in, line 2: expected text, or user with assistant",
                "{\"label\": \"a\", \"user\": \"x\", \"text\": \"y\"} | in, line 2: expected text, or user with assistant",
                "{\"label\": \"a\", \"text\": \"\"} | in, line 2: text: expected a text, found an empty one",
                "[1] | in, line 2: expected an object, found an array",
                "{\"label\" | in, line 2: invalid JSON",
            })
    void aBadLineIsNamed(String line, String message) {
        byte[] lines = ("\n" + line + "\n").getBytes(StandardCharsets.UTF_8);
        var e = assertThrows(CheckpointException.class, () -> LabelledCorpus.parse(lines, "in", OntologyTest.small()));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }

    @Test
    void anEmptyCorpusIsRefused() {
        var e = assertThrows(
                CheckpointException.class, () -> LabelledCorpus.parse(new byte[0], "in", OntologyTest.small()));
        assertTrue(e.getMessage().startsWith("in: expected a JSON object with label and text"), e.getMessage());
    }

    @Test
    void textsAreRenderedAsTheModelWasTrained() {
        try (Llm llm = Llm.bundled(LoadOptions.defaults().withThreads(1))) {
            RenderedText story = RenderedText.of(llm, new LabelledText("a", Optional.empty(), "Once <｜User｜>", "test"));
            assertArrayEquals(new int[] {0}, story.prompt());
            assertEquals("Once <｜User｜><｜end▁of▁sentence｜>", llm.tokenizer().decode(story.answer()));
            assertTrue(story.answer().length > 5, "control tokens in a text are characters");
            RenderedText sum =
                    RenderedText.of(llm, new LabelledText("b", Optional.of("What is 1 + 1?"), "1 + 1 = 2", "test"));
            assertEquals(
                    "<｜begin▁of▁sentence｜><｜User｜>What is 1 + 1?<｜Assistant｜>",
                    llm.tokenizer().decode(sum.prompt()));
            assertEquals("1 + 1 = 2<｜end▁of▁sentence｜>", llm.tokenizer().decode(sum.answer()));
            assertEquals(sum.prompt().length + sum.answer().length, sum.ids().length);
        }
    }
}
