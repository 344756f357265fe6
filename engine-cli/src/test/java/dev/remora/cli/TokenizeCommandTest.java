package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.json.JsonWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizeCommandTest {
    private static final Path CORE = Run.ROOT.resolve("engine-core/src/test/resources");

    @Test
    void textToIdsAndBack() {
        // As the reference tokenizer gives them.
        assertEquals(
                "[627,628,261,454]\n", Run.of("tokenize", "Once upon a time").out());
        assertEquals(
                "Once upon a time",
                Run.of("tokenize", "--decode", "[627,628,261,454]").out());
        assertEquals(
                "Once upon a time",
                Run.withInput("[627, 628,\n261, 454]", "tokenize", "--decode").out());
        assertEquals("[]\n", Run.withInput("", "tokenize", "-").out());
    }

    @Test
    void specialTokensInTheTextAreRecognisedAndNoneAdded() {
        assertEquals(
                "[0,3,44,77,4]\n",
                Run.of("tokenize", "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>")
                        .out());
        assertEquals("[44,77]\n", Run.of("tokenize", "Hi").out());
    }

    @Test
    void aTextComesBackAsItWas(@TempDir Path folder) throws IOException {
        String text = "Zoë said: \"naïve 日本語 😀\"\r\n\ttabs\n\n";
        Path file = Files.writeString(folder.resolve("text"), text);
        String ids = Run.of("tokenize", "--file", file.toString()).out();
        assertEquals(ids, Run.withInput(text, "tokenize").out());
        assertEquals(text, Run.withInput(ids, "tokenize", "--decode").out());
    }

    @Test
    void tokensAreListedOneOnALine() {
        assertEquals(
                "44\t\"H\"\n1207\t\"é\"\n225\t\" \"\n3\t\"<｜User｜>\"\n",
                Run.of("tokenize", "--tokens", "Hé <｜User｜>").out());
    }

    @Test
    void linesAreAnsweredInOrder() {
        Run run = Run.withInput(
                "{\"text\": \"Once upon a time\"}\n\n{\"text\": \"\", \"other\": 1}\r\n{\"text\": \"Hi\"}",
                "tokenize",
                "--jsonl");
        assertEquals(0, run.code(), run.err());
        assertEquals("{\"ids\":[627,628,261,454]}\n{\"ids\":[]}\n{\"ids\":[44,77]}\n", run.out());
        assertEquals(
                """
                {"text":"Once upon a time"}
                {"text":""}
                {"text":"Hi"}
                """, Run.withInput(run.out(), "tokenize", "--jsonl", "--decode").out());
    }

    @Test
    void conversationsAreRenderedAndTokenized() {
        Run run = Run.withInput("""
                {"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true}
                {"messages": [{"role": "user", "content": "Hi"}]}
                """, "tokenize", "--chat");
        assertEquals(0, run.code(), run.err());
        assertEquals("""
                {"text":"<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>","ids":[0,3,44,77,4]}
                {"text":"<｜begin▁of▁sentence｜><｜User｜>Hi","ids":[0,3,44,77]}
                """, run.out());
    }

    @Test
    void wrongInputIsNamedWithItsPlace() {
        assertWrong(
                "standard input: invalid UTF-8 at byte 2 (0xFF)", new byte[] {'a', 'b', (byte) 0xFF, 'c'}, "tokenize");
        assertWrong(
                "standard input: invalid UTF-8 at byte 3 (0xE2)",
                new byte[] {'a', 'b', 'c', (byte) 0xE2, (byte) 0x82},
                "tokenize");
        byte[] secondLine = "{\"text\": \"a\"}\n{\"text\": \"?\"}\n".getBytes(StandardCharsets.UTF_8);
        secondLine[24] = (byte) 0xC0;
        assertWrong("standard input, line 2: invalid UTF-8 at byte 24 (0xC0)", secondLine, "tokenize", "--jsonl");
        assertWrong("standard input, line 1: expected a JSON object, found [1]", "[1]\n", "tokenize", "--jsonl");
        assertWrong("standard input, line 1: invalid JSON", "{\"text\"\n", "tokenize", "--jsonl");
        assertWrong("line 1: text: expected a string, found no such key", "{}\n", "tokenize", "--jsonl");
        assertWrong("line 1: text: expected a string, found 7", "{\"text\": 7}\n", "tokenize", "--jsonl");
        assertWrong("line 1: ids: expected an array", "{\"text\": \"a\"}\n", "tokenize", "--jsonl", "--decode");
        assertWrong(
                "line 1: ids: element 1: expected a token id",
                "{\"ids\": [1, -1]}\n",
                "tokenize",
                "--jsonl",
                "--decode");
        assertWrong("line 1: messages: expected an array", "{}\n", "tokenize", "--chat");
        assertWrong(
                "line 1: messages: expected a JSON object, found \"Hi\"",
                "{\"messages\": [\"Hi\"]}",
                "tokenize",
                "--chat");
        assertWrong(
                "unsupported role: tool",
                "{\"messages\": [{\"role\": \"tool\", \"content\": \"\"}]}",
                "tokenize",
                "--chat");
        assertWrong("expected a JSON array of token ids", "{}", "tokenize", "--decode");
        assertWrong("element 0: expected a token id (an integer from 0), found 1.5", "[1.5]", "tokenize", "--decode");
        assertWrong(
                "element 0: expected a token id (an integer from 0), found 4294967296",
                "[4294967296]",
                "tokenize",
                "--decode");
    }

    @Test
    void goodLinesBeforeABadOneAreAnswered() {
        Run run = Run.withInput("{\"text\": \"Hi\"}\noops\n", "tokenize", "--jsonl");
        assertEquals(2, run.code());
        assertEquals("{\"ids\":[44,77]}\n", run.out());
    }

    private static void assertWrong(String expected, String input, String... args) {
        assertWrong(expected, input.getBytes(StandardCharsets.UTF_8), args);
    }

    private static void assertWrong(String expected, byte[] input, String... args) {
        Run run = Run.withInput(input, args);
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().startsWith("remora tokenize: "), run.err());
        assertTrue(run.err().contains(expected), run.err());
    }

    /** The reference's ids of many texts, with nothing in the folder but the tokenizer's files. */
    @Test
    void deepSeekGoldens(@TempDir Path folder) throws IOException {
        deepSeek(folder);
        assertGoldens(folder, gunzip(CORE.resolve("goldens/deepseek-v3.tokens.jsonl.gz")));
    }

    @Test
    void kimiGoldens() throws IOException {
        assertGoldens(CORE.resolve("tokenizers/kimi-mini"), gunzip(CORE.resolve("goldens/kimi-mini.tokens.jsonl.gz")));
    }

    private static void assertGoldens(Path model, byte[] goldens) {
        Run run = Run.withInput(goldens, "tokenize", "--jsonl", "--model", model.toString());
        assertEquals(0, run.code(), run.err());
        List<Object> expected = new ArrayList<>();
        new String(goldens, StandardCharsets.UTF_8)
                .lines()
                .forEach(line -> expected.add(
                        JsonObject.of(Json.parse(line, "golden"), "golden").array("ids")));
        List<Object> actual = new ArrayList<>();
        run.out()
                .lines()
                .forEach(line -> actual.add(
                        JsonObject.of(Json.parse(line, "output"), "output").array("ids")));
        assertTrue(expected.size() > 10, "only " + expected.size() + " cases");
        assertArrayEquals(expected.toArray(), actual.toArray());
    }

    @Test
    void deepSeekConversations(@TempDir Path folder) throws IOException {
        deepSeek(folder);
        JsonObject goldens = Json.object(Files.readAllBytes(CORE.resolve("goldens/deepseek-v3.chat.json")), "goldens");
        Map<String, Object> config = new LinkedHashMap<>();
        for (String key : List.of("chat_template", "bos_token", "eos_token", "pad_token")) {
            config.put(key, goldens.get(key));
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), JsonWriter.write(config));
        StringBuilder input = new StringBuilder();
        List<Object> expected = new ArrayList<>();
        for (Object item : goldens.array("cases")) {
            JsonObject golden = JsonObject.of(item, "case");
            expected.add(golden.string("text"));
            Map<String, Object> line = new LinkedHashMap<>();
            for (String key : List.of("messages", "tools", "add_generation_prompt")) {
                line.put(key, golden.get(key));
            }
            input.append(JsonWriter.write(line)).append('\n');
        }
        Run run = Run.withInput(input.toString(), "tokenize", "--chat", "--model", folder.toString());
        assertEquals(0, run.code(), run.err());
        List<Object> actual = new ArrayList<>();
        run.out()
                .lines()
                .forEach(line -> actual.add(
                        JsonObject.of(Json.parse(line, "output"), "output").string("text")));
        assertTrue(expected.size() > 3, "only " + expected.size() + " cases");
        assertEquals(expected, actual);
    }

    private static void deepSeek(Path folder) throws IOException {
        Path tokenizer = CORE.resolve("tokenizers/deepseek-v3");
        Files.write(folder.resolve("tokenizer.json"), gunzip(tokenizer.resolve("tokenizer.json.gz")));
        Files.copy(tokenizer.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
    }

    private static byte[] gunzip(Path file) throws IOException {
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(file)))) {
            return in.readAllBytes();
        }
    }
}
