package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.ContextOverflowException;
import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.MemoryLimits;
import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.template.TemplateException;
import dev.remora.models.runtime.BundledModel;
import dev.remora.models.runtime.ModelPlan;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Broken text files, too little memory, and input that a loaded model cannot take. */
class BadTextTest {
    private static final int[] NONE = {};

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tokenizer.json|{|invalid JSON",
                "tokenizer.json|[]|expected an object, found an array",
                "tokenizer.json|{\"model\": 3}|model: expected an object",
                "tokenizer.json|{\"model\": {\"type\": \"BPE\"}}|vocab",
                "tokenizer.json|{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": \"b\"}, \"merges\": []}}|vocab",
                "tokenizer_config.json|{\"chat_template\": 5}|chat_template: expected a string, found 5",
                "tokenizer_config.json|{\"chat_template\": [5]}|chat_template: expected an object, found 5",
                "tokenizer_config.json|{\"chat_template\": [{\"name\": \"x\"}]}|template: expected a string",
                "tokenizer_config.json|{\"bos_token\": 5}|bos_token: expected a string, found 5",
                "tokenizer_config.json|{\"bos_token\": {\"content\": 5}}|bos_token: content: expected a string",
                "tokenizer_config.json|{]|invalid JSON",
                "generation_config.json|{\"temperature\": \"hot\", \"do_sample\": true}|temperature: expected a finite number",
                "generation_config.json|{\"temperature\": -1, \"do_sample\": true}|temperature: expected",
                "generation_config.json|{\"top_p\": 1.5}|topP: expected",
                "generation_config.json|{\"top_k\": 2.5}|top_k: expected an integer",
                "generation_config.json|{\"do_sample\": 1}|do_sample: expected true or false, found 1",
                "generation_config.json|{\"eos_token_id\": [1, \"x\"]}|eos_token_id: expected a token id or a list",
                "generation_config.json|{\"repetition_penalty\": 0}|repetitionPenalty: expected",
                "generation_config.json|nonsense|invalid JSON"
            })
    void brokenFile(String file, String content, String part) {
        TestCheckpoint model = bundledText();
        model.files.put(file, content);
        FailedLoad.of(model.write(folder.resolve("model"), 1), CheckpointException.class, file, part);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizer_config.json", "chat_template.jinja"})
    void templateThatDoesNotCompile(String file) {
        TestCheckpoint model = bundledText();
        String template = "{{ bos_token }}\n{% for message in messages %}{{ message['content'] }}";
        model.files.put(
                file, file.endsWith("json") ? "{\"chat_template\": " + TestCheckpoint.json(template) + "}" : template);
        FailedLoad.of(model.write(folder.resolve("model"), 1), TemplateException.class, file, "line 2", "for");
    }

    @Test
    void templateThatRefuses() {
        TestCheckpoint model = bundledText();
        model.files.put("chat_template.jinja", "{{ raise_exception('Roles must alternate') }}");
        try (Llm llm = Llm.load(model.write(folder.resolve("model"), 1), Logits.EXACT);
                Session session = llm.session()) {
            Conversation hello = Conversation.of(ChatMessage.user("Hello"));
            String message = assertThrows(
                            TemplateException.class, () -> session.chat(hello, GenerationOptions.greedy()))
                    .getMessage();
            assertTrue(message.contains("Roles must alternate"), message);
            assertEquals(0, session.position());
        }
    }

    @Test
    void withoutTextFilesThereAreIds() {
        try (Llm llm = Llm.load(TestCheckpoint.folder("v2-lite"), Logits.EXACT);
                Session session = llm.session()) {
            assertFalse(llm.hasTokenizer());
            assertFalse(llm.hasChatTemplate());
            refuses(CheckpointException.class, llm::tokenizer, "expected tokenizer.json", "token ids instead");
            refuses(
                    CheckpointException.class,
                    () -> session.generate("Hello", GenerationOptions.greedy()),
                    "expected tokenizer.json");
            refuses(
                    CheckpointException.class,
                    () -> llm.renderChat(Conversation.of(ChatMessage.user("Hello"))),
                    "expected a chat template",
                    "tokenizer_config.json");
            session.generate(
                            new int[] {5},
                            GenerationOptions.greedy().withMaxTokens(2).withIgnoreEos(true))
                    .text();
            assertEquals(3, session.position());
        }
    }

    @Test
    void tooLittleMemory() {
        Path model = TestCheckpoint.folder("v3-fp8");
        for (long available : new long[] {0, 1 << 20, 8 << 20}) {
            FailedLoad.of(
                    model,
                    () -> ModelLoader.load(
                                    CheckpointSource.ofFolder(model),
                                    Logits.EXACT,
                                    () -> new MemoryLimits(available, "the memory limit of the control group"))
                            .close(),
                    InsufficientMemoryException.class,
                    "v3-fp8: weights of 0.01 GiB, a context of 512 tokens",
                    "of free memory, found " + (available == 0 ? "0.00" : available == 1 << 20 ? "0.00" : "0.01"),
                    "the memory limit of the control group",
                    "A shorter context");
        }
    }

    @Test
    void tooSmallAHeap() {
        ModelPlan.requireHeap("model", 64 << 20, 64 << 20);
        InsufficientMemoryException e = assertThrows(
                InsufficientMemoryException.class, () -> ModelPlan.requireHeap("model", (64 << 20) + 1, 64 << 20));
        assertEquals(
                "model: expected a Java heap of more than 65 MiB for the rows of a step, found 64 MiB; start java with a"
                        + " larger -Xmx",
                e.getMessage());
    }

    @Test
    void aListenerThatFailsEndsTheLoad() {
        Path model = TestCheckpoint.folder("v3-fp8");
        LoadOptions options = Logits.EXACT.withProgress(progress -> {
            if (progress.bytesDone() > 0) {
                throw new UnsupportedOperationException("enough");
            }
        });
        FailedLoad.of(model, () -> Llm.load(model, options).close(), UnsupportedOperationException.class, "enough");
    }

    @Test
    void inputThatDoesNotFit() {
        try (Llm llm = Llm.load(TestCheckpoint.folder("v2-lite"), Logits.EXACT);
                Session session = llm.session(8)) {
            GenerationOptions options = GenerationOptions.greedy();
            refuses(
                    IllegalArgumentException.class,
                    () -> session.generate(new int[] {1, 311}, options),
                    "ids[1]: expected a token id from 0 to 310, found 311",
                    "tokenizer and weights");
            refuses(IllegalArgumentException.class, () -> session.generate(new int[] {-1}, options), "ids[0]", "-1");
            refuses(IllegalArgumentException.class, () -> session.score(new int[] {1, 2, 999}), "ids[2]", "999");
            refuses(IllegalArgumentException.class, () -> session.score(new int[] {1}), "at least 2", "found 1");
            refuses(
                    ContextOverflowException.class,
                    () -> session.generate(new int[9], options),
                    "prompt: expected at most 8 tokens",
                    "found 9",
                    "shorten the prompt");
            refuses(RemoraException.class, () -> session.generate(NONE, options), "prompt", "found none", "BOS");
            refuses(IllegalArgumentException.class, () -> llm.session(0), "contextLength: expected 1 to 4096");
            refuses(IllegalArgumentException.class, () -> llm.session(4097), "found 4097");
            refuses(IllegalArgumentException.class, () -> session.truncate(1), "position: expected 0 to 0", "found 1");
            assertArrayEquals(NONE, session.tokens());
            session.generate(new int[] {1, 2, 3}, options.withIgnoreEos(true)).text();
            assertEquals(8, session.position(), "after all these refusals the session works");
        }
    }

    /** A golden's weights with the bundled model's text files: nothing is computed from them here. */
    private static TestCheckpoint bundledText() {
        TestCheckpoint model = TestCheckpoint.golden("v2-lite");
        CheckpointSource bundled = BundledModel.source();
        for (String file : new String[] {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
            model.files.put(file, new String(bundled.read(file), StandardCharsets.UTF_8));
        }
        return model;
    }

    private static void refuses(Class<? extends Exception> type, Runnable call, String... parts) {
        Exception thrown = assertThrows(type, call::run);
        assertEquals(type, thrown.getClass(), thrown.getMessage());
        for (String part : parts) {
            assertTrue(thrown.getMessage().contains(part), "expected \"" + part + "\" in: " + thrown.getMessage());
        }
    }
}
