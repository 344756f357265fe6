package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ExpertsCommandTest {
    @Test
    void jsonHasTheKeysThatAreDocumented() {
        Run run = Run.of("experts", "--limit", "12", "--json", "--policy", "topk:2", "--tokens", "2");
        assertEquals(0, run.code(), run.err());
        assertEquals(1, run.out().lines().count(), "one line of JSON");
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals(
                Set.of("model", "corpus", "texts", "tokens", "experts", "labels", "layers", "runs"), report.keys());
        assertEquals(12, report.integer("texts"));
        assertEquals(16, report.integer("experts"));
        JsonObject label = JsonObject.of(report.array("labels").get(1), "label");
        assertEquals(Set.of("label", "parent", "texts", "tokens"), label.keys());
        assertEquals("language", label.string("parent"));
        JsonObject layer = JsonObject.of(report.array("layers").getFirst(), "layer");
        assertEquals(Set.of("layer", "reach", "information", "telling"), layer.keys());
        assertEquals(1, layer.integer("layer"));
        List<Object> shares = layer.object("reach").array("reasoning");
        assertEquals(16, shares.size());
        double sum = shares.stream().mapToDouble(share -> (Double) share).sum();
        assertEquals(4, sum, 1e-9, "each token meets four experts");
        assertEquals(3, layer.array("information").size(), "one for each level of the tree");
        assertEquals(
                Set.of("depth", "bits", "miller_madow_bits", "shuffled_bits", "p", "label_entropy_bits", "share"),
                JsonObject.of(layer.array("information").getFirst(), "information")
                        .keys());
        List<Object> runs = report.array("runs");
        assertEquals(2, runs.size());
        JsonObject exact = JsonObject.of(runs.getFirst(), "run");
        JsonObject fewer = JsonObject.of(runs.getLast(), "run");
        assertEquals(Set.of("policy", "overflow", "fallbacks", "layers"), exact.keys());
        assertEquals("exact", exact.string("policy"));
        assertEquals("topk:2", fewer.string("policy"));
        JsonObject load = JsonObject.of(fewer.array("layers").getFirst(), "layer");
        assertEquals(
                Set.of("layer", "load", "experts_per_token", "max_over_mean", "variation", "entropy", "idle"),
                load.keys());
        assertEquals(2, load.number("experts_per_token"));
    }

    @Test
    void theOutputIsTheSameEveryTime() {
        String[] command = {"experts", "--limit", "6", "--threads", "2"};
        assertEquals(Run.of(command).out(), Run.of(command).out());
    }

    @Test
    void thePageIsWellFormedAndNeedsNothingElse(@TempDir Path folder) throws Exception {
        Path html = folder.resolve("experts.html");
        Path profile = folder.resolve("profile.json");
        Run run = Run.of(
                "experts",
                "--limit",
                "8",
                "--html",
                html.toString(),
                "--profile",
                profile.toString(),
                "--layers",
                "2,4");
        assertEquals(0, run.code(), run.err());
        String page = Files.readString(html);
        assertFalse(page.contains("http"), "no reference to anything outside");
        assertFalse(page.contains("<script"), "no scripts");
        Document document;
        try (InputStream in = Files.newInputStream(html)) {
            document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
        }
        NodeList maps = document.getElementsByTagName("svg");
        assertEquals(2, maps.getLength());
        for (int i = 0; i < maps.getLength(); i++) {
            Element map = (Element) maps.item(i);
            for (String id : map.getAttribute("aria-labelledby").split(" ", -1)) {
                assertTrue(page.contains("id=\"" + id + "\""), id);
            }
            assertFalse(
                    map.getElementsByTagName("desc").item(0).getTextContent().isBlank());
            int labels = map.getElementsByTagName("text").getLength() - 16;
            assertEquals(16 * labels + 1, map.getElementsByTagName("rect").getLength());
        }
        JsonObject written = Json.object(Files.readAllBytes(profile), "profile");
        assertEquals(Set.of("1", "2", "3", "4"), written.object("layers").keys(), "all layers, shown or not");
        assertEquals(16, written.object("layers").array("1").size());
    }

    @Test
    void xmlTakesWhateverATokenHolds() {
        assertEquals("&lt;a&gt; &amp; &quot;b&quot; \uFFFD\uFFFD", ExpertsPage.escape("<a> & \"b\" \u0001\uFFFE"));
        assertEquals("\uFFFD", ExpertsPage.escape("\uD800"));
        assertEquals("\uD83E\uDD94", ExpertsPage.escape("\uD83E\uDD94"));
    }

    @Test
    void narrowTerminalsGetMapsOfSigns() {
        String text = wide("44", false);
        assertTrue(text.lines().filter(line -> line.startsWith("language")).count() >= 4, text);
        assertTrue(text.contains("from \" \" = 0 to \"@\" = "), text);
        assertFalse(text.contains("\u001b["), "no colours");
        int table = text.indexOf("What an expert tells");
        assertTrue(text.substring(text.indexOf("Layer 1"), table).lines().allMatch(line -> line.length() <= 80), text);
        String coloured = wide("120", true);
        assertTrue(coloured.contains("\u001b[48;5;"), "backgrounds");
        assertFalse(coloured.contains("= 0 to"), "numbers fit");
    }

    private static String wide(String columns, boolean terminal) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Shell shell = new Shell(
                new ByteArrayInputStream(new byte[0]),
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                false,
                terminal,
                false,
                Map.of("COLUMNS", columns),
                new Interrupts(() -> {}));
        assertEquals(0, Main.run(new String[] {"experts", "--limit", "5", "--tokens", "0"}, shell));
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aTextWithoutLabelsHasNoInformation() {
        Run run = Run.withInput("Once upon a time, there was a boy. ", "experts", "--text", "-", "--min-count", "1");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("standard input"), run.out());
        assertFalse(run.out().contains("What an expert tells"), run.out());
        assertTrue(run.out().contains("Load of the experts"), run.out());
    }

    @Test
    void labelsOfTheUsersOwn(@TempDir Path folder) throws Exception {
        Path texts = folder.resolve("texts.jsonl");
        Path tree = folder.resolve("tree.json");
        Files.writeString(tree, "{\"labels\": {\"a\": {}, \"b\": {}}}");
        Files.writeString(texts, """
                {"label": "a", "text": "One day, a girl went to the barn."}
                {"label": "b", "user": "What is 1 + 1?", "assistant": "1 + 1 = 2"}
                """);
        Run run = Run.of("experts", "--labelled", texts.toString(), "--labels", tree.toString(), "--json");
        assertEquals(0, run.code(), run.err());
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals(2, report.array("labels").size());
        Files.writeString(texts, "{\"label\": \"c\", \"text\": \"x\"}\n");
        Run wrong = Run.of("experts", "--labelled", texts.toString(), "--labels", tree.toString());
        assertEquals(2, wrong.code(), wrong.err());
        assertTrue(wrong.err().contains(texts + ", line 1: label: expected one of those in " + tree), wrong.err());
        Run none = Run.of("experts", "--labelled", texts.toString());
        assertEquals(2, none.code(), none.err());
        assertTrue(none.err().contains("labels.json: no such file"), none.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--labels labels.json | --labels: expected --labelled beside it",
                "--limit -1 | --limit: expected at least 1 text, found -1",
                "--tokens -1 | --tokens: expected 0 or more, found -1",
                "--min-count 0 | --min-count: expected 1 or more, found 0",
                "--limit 1 --layers 0 | --layers: expected layers with experts, [1, 2, 3, 4], found 0",
                "--text /no/such/file | /no/such/file: no such file",
                "--labelled /no/such/file | /no/such/file: no such file",
            })
    void wrongOptionsAreNamed(String options, String message) {
        Run run = Run.of(("experts " + options).split(" ", -1));
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }
}
