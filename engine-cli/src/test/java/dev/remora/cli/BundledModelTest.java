package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.json.JsonWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands end to end, on the model that comes with Remora and its reference answers. */
class BundledModelTest {
    private static final int EOS = 1;
    private static final String STORY = "Once upon a time";

    private static JsonObject json(Run run) {
        assertEquals(0, run.code(), run.err());
        assertEquals(1, run.out().lines().count(), "one line of JSON");
        return JsonObject.of(Json.parse(run.out(), "output"), "output");
    }

    private static String greedy(int golden) throws IOException {
        List<?> goldens = (List<?>) Json.parse(Files.readString(Run.TINY.resolve("golden.json")), "golden.json");
        return JsonObject.of(goldens.get(golden), "golden").string("greedy");
    }

    // ---- generate ----

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void greedyIdsAreThoseOfTheReference(int golden) throws IOException {
        Golden tensors = Golden.read(Run.TINY.resolve("golden.safetensors"));
        int[] ids = tensors.ints("case" + golden + ".ids");
        int promptLength = tensors.ints("case" + golden + ".prompt_length")[0];
        List<?> goldens = (List<?>) Json.parse(Files.readString(Run.TINY.resolve("golden.json")), "golden.json");
        boolean ended = JsonObject.of(goldens.get(golden), "golden").bool("ended", false);
        int[] expected = Arrays.copyOfRange(ids, promptLength, ids.length + (ended ? 1 : 0));
        if (ended) {
            expected[expected.length - 1] = EOS;
        }
        Run run = Run.withInput(
                JsonWriter.write(Arrays.copyOf(ids, promptLength)),
                "generate",
                "--ids",
                "-",
                "--print-ids",
                "--greedy",
                "-n",
                Integer.toString(expected.length));
        assertEquals(0, run.code(), run.err());
        assertEquals(JsonWriter.write(expected) + "\n", run.out());
    }

    @Test
    void aPolicyIsFollowed() {
        String[] tokens = {"generate", "--greedy", "--print-ids", "-n", "24", STORY};
        Run exact = Run.of(tokens);
        Run all = Run.of(with(tokens, "topk:4+capacity:99"));
        assertEquals(0, all.code(), all.err());
        assertEquals(exact.out(), all.out());
        Run one = Run.of(with(tokens, "topk:1"));
        assertEquals(0, one.code(), one.err());
        assertNotEquals(exact.out(), one.out());
    }

    private static String[] with(String[] command, String policy) {
        String[] more = Arrays.copyOf(command, command.length + 2);
        more[command.length] = "--policy";
        more[command.length + 1] = policy;
        return more;
    }

    @ParameterizedTest
    @ValueSource(strings = {"topk:9", "topk:", "best", "available:m=99"})
    void aPolicyThatIsWrongIsTheUsersToMend(String policy) {
        Run run = Run.of("generate", "--policy", policy, STORY);
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains("--policy: "), run.err());
    }

    @Test
    void aStoryIsPrinted() throws IOException {
        Run run = Run.of("generate", "--greedy", "-n", "20", STORY);
        assertEquals(0, run.code(), run.err());
        String text = run.out().stripTrailing();
        assertTrue(greedy(0).startsWith(text), text);
        assertTrue(text.length() > 40, text);
        assertTrue(
                run.err()
                        .matches(
                                "(?s).*\\[prompt: 5 tokens, [0-9.]+ tokens/s \\| generated: 20 tokens, [0-9.]+ tokens/s"
                                        + " \\| first token: [0-9.]+ s \\| end: max tokens]\n"),
                run.err());
    }

    @Test
    void thePromptComesFromStandardInputToo() {
        String expected = Run.of("generate", "--greedy", "-n", "8", STORY).out();
        assertEquals(
                expected,
                Run.withInput(STORY, "generate", "--greedy", "-n", "8", "-").out());
        assertEquals(
                expected,
                Run.withInput(STORY + "\n", "generate", "--greedy", "-n", "8").out());
        assertEquals(
                STORY + expected,
                Run.of("generate", "--echo", "--greedy", "-n", "8", STORY).out());
        byte[] latin1 = "Zo\u00EB".getBytes(StandardCharsets.ISO_8859_1);
        Run invalid = Run.withInput(latin1, "generate", "-");
        assertEquals(2, invalid.code());
        assertTrue(invalid.err().contains("standard input: invalid UTF-8 at byte 2 (0xEB)"), invalid.err());
    }

    @Test
    void aQuestionIsAnsweredWithTheTemplate() {
        Run run = Run.of("generate", "--chat", "--greedy", "What is 17 + 25?");
        assertEquals("17 + 25 = 42\n", run.out(), run.err());
        assertTrue(run.err().contains("end: stop token"), run.err());
    }

    @Test
    void jsonTellsAll() throws IOException {
        JsonObject result = json(Run.of("generate", "--json", "--greedy", "-n", "12", STORY));
        assertEquals(Set.of("text", "ids", "finish_reason", "usage", "seed", "options"), result.keys());
        assertTrue(greedy(0).startsWith(result.string("text")), result.string("text"));
        assertEquals(12, result.array("ids").size());
        assertEquals("max_tokens", result.string("finish_reason"));
        assertEquals(5, result.object("usage").integer("prompt_tokens"));
        assertEquals(12, result.object("usage").integer("generated_tokens"));
        assertTrue(result.object("usage").number("time_to_first_token_seconds") > 0);
        assertEquals(12, result.object("options").integer("max_tokens"));
        assertEquals(0, result.object("options").number("temperature"));
        assertEquals(0.95, result.object("options").number("top_p"), 1e-6, "from generation_config.json");
    }

    @Test
    void theSeedMakesTheText() {
        String[] command = {"generate", "--json", "-n", "24", "--temperature", "1.5", "--seed", "7", STORY};
        JsonObject first = json(Run.of(command));
        assertEquals(first.string("text"), json(Run.of(command)).string("text"));
        assertEquals(7, first.integer("seed"));
        command[7] = "8";
        assertNotEquals(first.string("text"), json(Run.of(command)).string("text"));
        command[6] = "--top-k"; // no seed: one is drawn, reported, and gives the same text again
        JsonObject drawn = json(Run.of(command));
        String seed = drawn.get("seed").toString();
        JsonObject again = json(Run.of(
                "generate", "--json", "-n", "24", "--temperature", "1.5", "--top-k", "8", "--seed", seed, STORY));
        assertEquals(drawn.string("text"), again.string("text"));
    }

    @Test
    void optionsReachTheSampler() {
        JsonObject stopped = json(Run.of("generate", "--json", "--greedy", "--stop", " little", STORY));
        assertEquals(", there was a", stopped.string("text"));
        assertEquals("stop_string", stopped.string("finish_reason"));
        JsonObject none = json(Run.of("generate", "--json", "-n", "0", STORY));
        assertEquals(List.of(), none.array("ids"));
        JsonObject eos = json(Run.of("generate", "--json", "--chat", "--greedy", "What is 17 + 25?"));
        List<Object> answer = eos.array("ids");
        assertEquals((long) EOS, answer.getLast());
        JsonObject on = json(
                Run.of("generate", "--json", "--chat", "--greedy", "--ignore-eos", "-n", "20", "What is 17 + 25?"));
        assertEquals(answer, on.array("ids").subList(0, answer.size()));
        assertEquals(20, on.array("ids").size());
        JsonObject biased = json(Run.of(
                "generate",
                "--json",
                "--greedy",
                "-n",
                "1",
                "--logit-bias",
                answer.getFirst() + "=-inf",
                "--chat",
                "What is 17 + 25?"));
        assertNotEquals(answer.getFirst(), biased.array("ids").getFirst());
    }

    @Test
    void aFullContextEndsTheTextAndATooLongPromptIsRefused() {
        JsonObject full = json(Run.of("generate", "--json", "--greedy", "--ignore-eos", "--ctx", "12", STORY));
        assertEquals("context_full", full.string("finish_reason"));
        Run refused = Run.of("generate", "--ctx", "4", STORY);
        assertEquals(4, refused.code(), refused.err());
        assertTrue(refused.err().contains("--ctx"), refused.err());
        Run absurd = Run.of("generate", "--ctx", "1000000", STORY);
        assertEquals(2, absurd.code(), absurd.err());
        assertTrue(absurd.err().contains("--ctx: expected 1 to 1024"), absurd.err());
    }

    @Test
    void emptyAndForeignPromptsAreNamed() {
        for (Run empty : List.of(Run.of("generate", ""), Run.withInput("", "generate", "-"))) {
            assertEquals(2, empty.code(), empty.err());
            assertTrue(empty.err().contains("the prompt is empty: expected some text"), empty.err());
        }
        Run none = Run.withInput("[]", "generate", "--ids", "-");
        assertEquals(2, none.code());
        assertTrue(none.err().contains("expected at least one token id, found none"), none.err());
        Run foreign = Run.withInput("[0, 1792]", "generate", "--ids", "-");
        assertEquals(2, foreign.code(), foreign.err());
        assertTrue(foreign.err().contains("--ids[1]: expected a token id from 0 to 1791, found 1792"), foreign.err());
    }

    @Test
    void idsNeedNoTokenizer(@TempDir Path folder) throws IOException {
        for (String file : List.of("config.json", "generation_config.json", "model.safetensors")) {
            Files.copy(Run.TINY.resolve(file), folder.resolve(file));
        }
        String model = folder.toString();
        Run ids = Run.withInput(
                "[0, 627]", "generate", "--model", model, "--ids", "-", "--print-ids", "-n", "3", "--ignore-eos");
        assertEquals(0, ids.code(), ids.err());
        assertEquals(3, ((List<?>) Json.parse(ids.out(), "output")).size());
        Run scored = Run.withInput("[0, 627, 628]", "score", "--model", model, "--ids", "-", "--jsonl");
        assertEquals(0, scored.code(), scored.err());
        assertEquals(2, scored.out().lines().count());
        Run text = Run.of("generate", "--model", model, "Hi");
        assertEquals(3, text.code());
        assertTrue(text.err().contains("tokenizer.json"), text.err());
        Run asText = Run.withInput("[0, 627]", "generate", "--model", model, "--ids", "-");
        assertEquals(3, asText.code());
        assertEquals("", asText.out());
    }

    @Test
    void aDamagedModelIsExitCode3(@TempDir Path folder) throws IOException {
        for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Run.TINY.resolve(file), folder.resolve(file));
        }
        byte[] weights = Files.readAllBytes(Run.TINY.resolve("model.safetensors"));
        Files.write(folder.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length - 1000));
        for (String command : List.of("generate", "inspect")) {
            String[] args = command.equals("generate")
                    ? new String[] {command, "--model", folder.toString(), "Hi"}
                    : new String[] {command, "--model", folder.toString()};
            Run run = Run.of(args);
            assertEquals(3, run.code(), run.err());
            assertTrue(run.err().contains("model.safetensors"), run.err());
            assertEquals("", run.out());
        }
    }

    // ---- leaving early ----

    /** Notices every write; fails from the third on if so wished. */
    private static final class Watched extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final Consumer<Integer> onWrite;
        private int writes;

        Watched(Consumer<Integer> onWrite) {
            this.onWrite = onWrite;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] b, int from, int count) throws IOException {
            try {
                onWrite.accept(++writes);
            } catch (IllegalStateException e) {
                throw new IOException("Broken pipe", e);
            }
            bytes.write(b, from, count);
        }
    }

    @Test
    void aReaderThatLeavesStopsTheGenerationQuietly() {
        Watched out = new Watched(write -> {
            if (write > 3) {
                throw new IllegalStateException("the reader left");
            }
        });
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Main.run(
                new String[] {"generate", "--greedy", "--ignore-eos", STORY},
                InputStream.nullInputStream(),
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        assertEquals(141, code);
        assertEquals(4, out.writes, "went on writing");
        assertEquals("", err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void ctrlCStopsTheTextAndShowsTheStatistics() {
        Interrupts interrupts = new Interrupts(() -> {});
        Watched out = new Watched(write -> {
            if (write == 3) {
                interrupts.signal();
            }
        });
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = shell(InputStream.nullInputStream(), out, err, interrupts);
        int code = Main.run(new String[] {"generate", "--greedy", "--ignore-eos", STORY}, shell);
        assertEquals(130, code);
        assertTrue(out.bytes.size() < 100, out.bytes.toString(StandardCharsets.UTF_8));
        assertTrue(
                err.toString(StandardCharsets.UTF_8).contains("end: cancelled"), err.toString(StandardCharsets.UTF_8));
    }

    private static Shell shell(InputStream in, OutputStream out, OutputStream err, Interrupts interrupts) {
        return new Shell(
                in,
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                false,
                false,
                Map.of(),
                interrupts);
    }

    // ---- chat ----

    @Test
    void aConversationTakesTurns() {
        Run run = Run.withInput(
                "What is 17 + 25?\n\n/help\n/nope\nWhat is 17 + 25?\n/reset\nWhat is 17 + 25?\n/exit\nnot read\n",
                "chat",
                "--greedy",
                "-n",
                "40");
        assertEquals(0, run.code(), run.err());
        List<String> answers = run.out().lines().toList();
        assertEquals(3, answers.size(), run.out());
        assertEquals("17 + 25 = 42", answers.getFirst());
        assertEquals("17 + 25 = 42", answers.getLast());
        assertTrue(run.err().contains("/system TEXT"), run.err());
        assertTrue(run.err().contains("no command /nope"), run.err());
    }

    @Test
    void aFullContextIsExplained() {
        Run run = Run.withInput(
                "What is 17 + 25?\nWhat is 17 + 25?\n/reset\nWhat is 17 + 25?\n", "chat", "--greedy", "--ctx", "30");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.err().contains("The context of 30 tokens is full. /reset starts over"), run.err());
        assertTrue(run.err().contains("--ctx"), run.err());
        assertTrue(run.out().endsWith("17 + 25 = 42\n"), run.out());
    }

    @Test
    void ctrlCStopsAnAnswerAndNotTheConversation() {
        Interrupts interrupts = new Interrupts(() -> {});
        boolean[] pressed = {false};
        Watched out = new Watched(write -> {
            if (!pressed[0]) {
                pressed[0] = true;
                interrupts.signal();
            }
        });
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        InputStream in = new ByteArrayInputStream(
                "Tell me a story about Mia and a bear.\n/reset\nWhat is 17 + 25?\n".getBytes(StandardCharsets.UTF_8));
        int code = Main.run(new String[] {"chat", "--greedy"}, shell(in, out, err, interrupts));
        assertEquals(0, code, err.toString(StandardCharsets.UTF_8));
        List<String> answers =
                out.bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(2, answers.size());
        assertTrue(answers.getFirst().length() < 30, answers.getFirst());
        assertEquals("17 + 25 = 42", answers.getLast());
    }

    // ---- score ----

    @Test
    void logitsAndScoresAreThoseOfTheReference(@TempDir Path folder) throws IOException {
        Golden golden = Golden.read(Run.TINY.resolve("golden.safetensors"));
        int[] ids = golden.ints("case0.ids");
        float[] expected = golden.floats("case0.logits");
        Path file = folder.resolve("logits.safetensors");
        JsonObject score = json(Run.withInput(
                JsonWriter.write(ids), "score", "--ids", "-", "--cache", "f32", "--logits", file.toString(), "--json"));
        Golden written = Golden.read(file);
        assertEquals(List.of(69L, 1792L), written.header().object("logits").array("shape"));
        float[] actual = written.floats("logits");
        float largest = 0;
        for (float logit : expected) {
            largest = Math.max(largest, Math.abs(logit));
        }
        assertArrayEquals(expected, actual, 2e-4f * largest);
        double mean = meanLogLikelihood(expected, ids);
        assertEquals(mean, score.number("mean_log_likelihood"), 1e-3);
        assertEquals(Math.exp(-mean), score.number("perplexity"), 1e-3 * Math.exp(-mean));
        assertEquals(69, score.integer("tokens"));
        assertEquals(68, score.integer("scored_tokens"));
        JsonObject again =
                json(Run.withInput(JsonWriter.write(ids), "score", "--ids", "-", "--cache", "f32", "--json"));
        assertEquals(score.number("perplexity"), again.number("perplexity"), 1e-6);
        assertArrayEquals(new String[] {"logits.safetensors"}, folder.toFile().list(), "a partial file was left");
    }

    private static double meanLogLikelihood(float[] logits, int[] ids) {
        int vocab = logits.length / ids.length;
        double sum = 0;
        for (int i = 0; i + 1 < ids.length; i++) {
            double normaliser = 0;
            for (int v = 0; v < vocab; v++) {
                normaliser += Math.exp(logits[i * vocab + v]);
            }
            sum += logits[i * vocab + ids[i + 1]] - Math.log(normaliser);
        }
        return sum / (ids.length - 1);
    }

    @Test
    void everyTokenIsScored() {
        String text = "Once upon a time, there was a little boy named Zoë.";
        Run run = Run.withInput(text, "score", "--text", "-", "--jsonl");
        assertEquals(0, run.code(), run.err());
        StringBuilder whole = new StringBuilder();
        double sum = 0;
        int position = 0;
        for (String line : run.out().lines().toList()) {
            JsonObject token = JsonObject.of(Json.parse(line, "line"), "line");
            assertEquals(++position, token.integer("position"));
            whole.append(token.string("text"));
            sum += token.number("log_probability");
        }
        assertEquals(text, whole.toString());
        JsonObject summary = json(Run.withInput(text, "score", "--text", "-", "--json"));
        assertEquals(position, summary.integer("scored_tokens"));
        assertEquals(sum / position, summary.number("mean_log_likelihood"), 1e-5);
        Run plain = Run.withInput(text, "score", "--text", "-");
        assertTrue(plain.out().contains("perplexity"), plain.out());
    }

    @Test
    void whatCannotBeScoredIsNamed() {
        Run one = Run.withInput("[0]", "score", "--ids", "-");
        assertEquals(2, one.code());
        assertTrue(one.err().contains("expected at least two tokens, found 1"), one.err());
        Run folder = Run.withInput("[0, 1]", "score", "--ids", "-", "--logits", "/no/such/folder/x.safetensors");
        assertEquals(2, folder.code(), folder.err());
        assertTrue(folder.err().contains("--logits: "), folder.err());
        Run tooLong = Run.withInput(JsonWriter.write(new int[1026]), "score", "--ids", "-");
        assertEquals(4, tooLong.code(), tooLong.err());
    }

    // ---- inspect, doctor ----

    @Test
    void inspectShowsTheModel() {
        Run run = Run.of("inspect", "--tensors");
        assertEquals(0, run.code(), run.err());
        for (String expected : List.of(
                "DeepseekV3ForCausalLM (deepseek_v3)",
                "active per token",
                "per decoded token",
                "800 B per token (bf16)",
                "kv_lora_rank",
                "computed in",
                "model.embed_tokens.weight",
                "F8_E4M3")) {
            assertTrue(run.out().contains(expected), expected);
        }
        assertFalse(Run.of("inspect").out().contains("model.embed_tokens.weight"));
        assertTrue(Run.of("inspect", "--cache", "f32").out().contains("1.60 kB per token (f32)"));
    }

    @Test
    void inspectAsJson() {
        JsonObject info = json(Run.of("inspect", "--json"));
        assertEquals("deepseek_v3", info.string("model_type"));
        assertEquals(1792, info.integer("vocab_size"));
        assertEquals(1024, info.integer("context_length"));
        assertEquals(800, info.integer("cache_bytes_per_token"));
        assertTrue(info.integer("active_parameters") < info.integer("total_parameters"));
        assertEquals(256, info.object("dimensions").integer("hidden_size"));
        assertEquals(List.of(1L), info.object("special_ids").array("eos"));
        assertTrue(info.array("tensors").size() > 100);
        JsonObject tensor = JsonObject.of(info.array("tensors").getFirst(), "tensor");
        assertEquals(Set.of("name", "dtype", "shape", "bytes", "file"), tensor.keys());
        assertFalse(info.array("precision").isEmpty());
    }

    @Test
    void doctorFindsThisMachineHealthy() {
        Run run = Run.of("doctor");
        assertEquals(0, run.code(), run.out());
        for (String expected : List.of("Java", "JVM flags", "vectors", "cores", "memory", "kernels", "model")) {
            assertTrue(
                    run.out().lines().anyMatch(line -> line.matches("(ok|warning) +" + expected + " +\\S.*")),
                    run.out());
        }
        JsonObject report = json(Run.of("doctor", "--json"));
        assertTrue(report.bool("healthy", false));
        Run broken = Run.of("doctor", "--model", "/no/such/folder");
        assertEquals(1, broken.code());
        assertTrue(broken.out().contains("FAILED   model         /no/such/folder: no such folder"), broken.out());
    }
}
