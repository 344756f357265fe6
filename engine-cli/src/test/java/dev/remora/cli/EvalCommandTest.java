package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvalCommandTest {
    private static final Set<String> QUALITY = Set.of(
            "policy",
            "reading",
            "texts",
            "questions",
            "matching",
            "judged",
            "right",
            "lost",
            "gained",
            "accuracy",
            "tokens",
            "perplexity",
            "kl",
            "top1_agreement");

    @Test
    void jsonHasTheKeysThatAreDocumented() {
        Run run = Run.of("eval", "--limit", "4", "--json", "--policy", "topk:2", "--policy", "capacity:1");
        assertEquals(0, run.code(), run.err());
        assertEquals(1, run.out().lines().count(), "one line of JSON");
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals(Set.of("model", "corpus", "policies", "results"), report.keys());
        List<Object> policies = report.array("policies");
        assertEquals(4, policies.size());
        JsonObject exact = JsonObject.of(policies.get(0), "policy");
        JsonObject two = JsonObject.of(policies.get(1), "policy");
        Set<String> keys = new HashSet<>(QUALITY);
        keys.addAll(Set.of(
                "step_tokens",
                "step_seconds",
                "tokens_per_second",
                "experts_per_token",
                "bytes_read_per_token",
                "hit_rate",
                "overflow",
                "fallbacks"));
        assertEquals(keys, exact.keys());
        assertEquals(Set.of("next", "fp8", "shared"), exact.object("fallbacks").keys());
        assertEquals("exact", exact.string("policy"));
        assertEquals("decoded", exact.string("reading"));
        assertEquals(0, exact.number("kl"));
        assertEquals(1, exact.number("top1_agreement"));
        assertEquals(4, exact.number("experts_per_token"));
        assertEquals(3, exact.integer("judged"));
        assertEquals("topk:2", two.string("policy"));
        assertEquals(2, two.number("experts_per_token"));
        assertTrue(two.number("kl") > 0);
        assertNull(two.get("hit_rate"), "all experts are in memory");
        assertEquals("prompt", JsonObject.of(policies.get(3), "policy").string("reading"));
        JsonObject language = JsonObject.of(report.array("results").getFirst(), "result");
        keys = new HashSet<>(QUALITY);
        keys.addAll(Set.of("label", "parent"));
        assertEquals(keys, language.keys());
        assertEquals("language", language.string("label"));
        assertNull(language.get("parent"));
        assertNull(language.get("accuracy"), "a tale has no right answer");
        assertEquals(0, report.array("results").size() % 4, "the same labels under each policy");
    }

    @Test
    void tablesForPeople() {
        Run run = Run.of("eval", "--limit", "4", "--policy", "mass:0.8", "--policy", "capacity:2");
        assertEquals(0, run.code(), run.err());
        for (String expected : List.of(
                "4 of remora-tiny's eval.jsonl: 3 have one right answer, ",
                "Answers decoded token by token",
                "Answers read in one go",
                "By label: exact\n",
                "By label: mass:0.8",
                "By label: capacity:2.0, as prompts",
                "    math.subtraction ")) {
            assertTrue(run.out().contains(expected), expected + " in\n" + run.out());
        }
    }

    @Test
    void questionsOfTheUsersOwn(@TempDir Path folder) throws Exception {
        Path texts = folder.resolve("texts.jsonl");
        Path tree = folder.resolve("tree.json");
        Files.writeString(tree, "{\"labels\": {\"sum\": {\"answers\": \"exact\"}}}");
        Files.writeString(texts, """
                {"label": "sum", "user": "What is 1 + 1?", "assistant": "1 + 1 = 2"}
                {"label": "sum", "user": "What is 1 + 1?", "assistant": "1 + 1 = 3"}
                """);
        Run run = Run.of("eval", "--labelled", texts.toString(), "--labels", tree.toString(), "--json");
        assertEquals(0, run.code(), run.err());
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals(
                0.5, JsonObject.of(report.array("results").getFirst(), "result").number("accuracy"));
        Files.writeString(texts, "{\"label\": \"other\", \"text\": \"x\"}\n");
        Run wrong = Run.of("eval", "--labelled", texts.toString(), "--labels", tree.toString());
        assertEquals(2, wrong.code(), wrong.err());
        assertTrue(wrong.err().contains(texts + ", line 1: label: expected one of those in " + tree), wrong.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--labels labels.json | --labels: expected --labelled beside it",
                "--limit -1 | --limit: expected at least 1 text, found -1",
                "--policy topk:5 --limit 1 | --policy: topk: expected at most num_experts_per_tok = 4",
                "--policy top:5 | --policy: ",
                "--labelled /no/such/file | /no/such/file: no such file",
            })
    void wrongOptionsAreNamed(String options, String message) {
        Run run = Run.of(("eval " + options).split(" ", -1));
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }

    @Test
    void aTextThatIsTooLongNamesItsLine(@TempDir Path folder) throws Exception {
        Path texts = folder.resolve("texts.jsonl");
        Files.writeString(folder.resolve("labels.json"), "{\"labels\": {\"sum\": {}}}");
        Files.writeString(texts, "{\"label\": \"sum\", \"text\": \"one two three four five\"}\n");
        Run run = Run.of("eval", "--labelled", texts.toString(), "--ctx", "4");
        assertEquals(4, run.code(), run.err());
        assertTrue(run.err().contains(texts + ", line 1: expected at most 4 tokens"), run.err());
    }
}
