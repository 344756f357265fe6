package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CacheFormat;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.core.sampling.SamplingParams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The model that ships with Remora, through its public door, against its own goldens. */
@Tag("widths")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BundledModelTest {
    /**
     * A BF16 cache rounds each value by up to 2^-9 of itself, and attention reads it twice, as key and as value: in five
     * layers 10 * 2^-9 of the largest logit, if every rounding pointed the same way. The bound holds for nine rows of ten:
     * where two experts are so close to a tie that a rounding exchanges them, a row differs by as much as experts do.
     */
    private static final double BF16_TOLERANCE = 10 * 0x1p-9;

    private static final CheckpointSource FILES = CheckpointSource.ofFolder(
            Path.of(System.getProperty("basedir", ".")).resolve("remora-tiny"));

    private final Map<CacheFormat, Llm> models = new EnumMap<>(CacheFormat.class);
    private final List<Map<String, Object>> cases = new ArrayList<>();

    @BeforeAll
    void load() {
        for (CacheFormat format : CacheFormat.values()) {
            models.put(format, Llm.bundled(LoadOptions.defaults().withThreads(2).withCacheFormat(format)));
        }
        VectorKernels.await();
        for (Object one : (List<?>) Json.parse(FILES.read("golden.json"), "golden.json")) {
            cases.add(TestCheckpoint.object(one));
        }
        assertEquals(5, cases.size());
    }

    @AfterAll
    void close() {
        models.values().forEach(Llm::close);
    }

    @ParameterizedTest
    @EnumSource(CacheFormat.class)
    void greedyTextIsTheReferences(CacheFormat format) {
        Llm llm = models.get(format);
        for (int i = 0; i < cases.size(); i++) {
            int[] ids = Logits.ints(FILES, "case" + i + ".ids");
            int promptLength = Logits.ints(FILES, "case" + i + ".prompt_length")[0];
            boolean ended = (boolean) cases.get(i).get("ended");
            // The goldens' ids leave out the stop token, which a session keeps.
            int answer = ids.length - promptLength + (ended ? 1 : 0);
            try (Session session = llm.session()) {
                Generation generation = session.generate(
                        (String) cases.get(i).get("prompt"),
                        GenerationOptions.greedy().withMaxTokens(answer));
                StringBuilder text = new StringBuilder();
                FinishReason reason = null;
                for (GenerationEvent event : generation) {
                    switch (event) {
                        case GenerationEvent.Token token -> text.append(token.text());
                        case GenerationEvent.Text rest -> text.append(rest.text());
                        case GenerationEvent.Finished finished -> reason = finished.reason();
                    }
                }
                assertEquals(cases.get(i).get("greedy"), text.toString(), "case " + i);
                assertEquals(ended ? FinishReason.STOP_TOKEN : FinishReason.MAX_TOKENS, reason, "case " + i);
                int[] tokens = session.tokens();
                assertEquals(promptLength + answer, tokens.length, "case " + i);
                assertArrayEquals(ids, Arrays.copyOf(tokens, ids.length), "case " + i);
            }
        }
    }

    @Test
    void logitsAreTheReferences() {
        for (int i = 0; i < cases.size(); i++) {
            double worst = differences(CacheFormat.F32, i).getLast();
            assertTrue(worst <= Logits.TOLERANCE, "case " + i + " differs by " + worst + " of the largest logit");
        }
    }

    @Test
    void logitsOfABf16CacheAreWithinItsBound() {
        for (int i = 0; i < cases.size(); i++) {
            List<Double> rows = differences(CacheFormat.BF16, i);
            double ninth = rows.get(rows.size() * 9 / 10);
            assertTrue(ninth <= BF16_TOLERANCE, "case " + i + ": a tenth of the rows differs by more than " + ninth);
        }
    }

    /** Of each row, in ascending order: the largest difference, of the largest logit of the case. */
    private List<Double> differences(CacheFormat format, int i) {
        List<float[]> expected = Logits.rows(FILES, "case" + i + ".logits");
        List<float[]> actual = Logits.of(models.get(format), Logits.ints(FILES, "case" + i + ".ids"));
        List<Double> differences = Logits.differences(expected, actual);
        Collections.sort(differences);
        System.getLogger("golden")
                .log(
                        System.Logger.Level.INFO,
                        "remora-tiny, cache " + format + ", case " + i + ": logits differ by " + differences.getLast()
                                + ", the median row by " + differences.get(differences.size() / 2));
        return differences;
    }

    @Test
    void theTokenizerGivesTheGoldensIds() {
        Llm llm = models.get(CacheFormat.F32);
        for (int i = 0; i < cases.size(); i++) {
            int[] ids = Logits.ints(FILES, "case" + i + ".ids");
            int promptLength = Logits.ints(FILES, "case" + i + ".prompt_length")[0];
            String prompt = (String) cases.get(i).get("prompt");
            assertArrayEquals(Arrays.copyOf(ids, promptLength), llm.tokenizer().encode(prompt), "case " + i);
        }
    }

    @Test
    void thePromptsAreWhatTheTemplateRenders() {
        Conversation sum = Conversation.of(ChatMessage.user("What is 17 + 25?"));
        assertEquals(cases.get(1).get("prompt"), models.get(CacheFormat.F32).renderChat(sum));
    }

    @Test
    void theSameSeedGivesTheSameIds() {
        Llm llm = models.get(CacheFormat.BF16);
        GenerationOptions options = GenerationOptions.defaults().withMaxTokens(24);
        List<int[]> runs = new ArrayList<>();
        for (long seed : new long[] {7, 7, 8}) {
            try (Session session = llm.session()) {
                SamplingParams warm = SamplingParams.defaults().withTemperature(1.5f);
                session.generate("Once upon a time", options.withSampling(warm.withSeed(seed)))
                        .text();
                runs.add(session.tokens());
            }
        }
        assertArrayEquals(runs.get(0), runs.get(1));
        assertNotEquals(Arrays.toString(runs.get(0)), Arrays.toString(runs.get(2)));
    }

    @Test
    void eightSessionsAtOnceGiveTheIdsOfOneAfterAnother() throws Exception {
        Llm llm = models.get(CacheFormat.BF16);
        List<int[]> alone = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            alone.add(idsOfSession(llm, i));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Callable<int[]>> tasks = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int session = i;
                tasks.add(() -> idsOfSession(llm, session));
            }
            List<Future<int[]>> together = threads.invokeAll(tasks);
            for (int i = 0; i < 8; i++) {
                assertArrayEquals(alone.get(i), together.get(i).get(), "session " + i);
            }
        }
    }

    /** Prompts of different lengths, half of them sampled. */
    private int[] idsOfSession(Llm llm, int i) {
        SamplingParams sampling =
                i % 2 == 0 ? SamplingParams.greedy() : SamplingParams.defaults().withSeed(i);
        try (Session session = llm.session()) {
            session.generate(
                            (String) cases.get(i % cases.size()).get("prompt"),
                            GenerationOptions.greedy()
                                    .withSampling(sampling)
                                    .withIgnoreEos(true)
                                    .withMaxTokens(16 + i))
                    .text();
            return session.tokens();
        }
    }

    @Test
    void turnByTurnGivesWhatTheWholeConversationGives() {
        Llm llm = models.get(CacheFormat.BF16);
        GenerationOptions options = GenerationOptions.greedy().withMaxTokens(40);
        Conversation conversation = Conversation.of(ChatMessage.user("What is 17 + 25?"));
        try (Session turns = llm.session();
                Session whole = llm.session()) {
            String first = turns.chat(conversation, options).text();
            assertEquals("17 + 25 = 42", first);
            conversation = conversation
                    .with(ChatMessage.assistant(first))
                    .with(ChatMessage.user("Translate to French: the old owl sees the green lamp"));
            Generation second = turns.chat(conversation, options);
            List<GenerationEvent> events = second.stream().toList();
            Usage usage = ((GenerationEvent.Finished) events.getLast()).usage();
            assertTrue(usage.cachedTokens() > usage.promptTokens() / 3, "most of the first turn is kept: " + usage);
            whole.chat(conversation, options).text();
            assertArrayEquals(whole.tokens(), turns.tokens());
        }
    }

    @Test
    void closingTwiceAndUsingAfterwards() {
        Llm llm = Llm.bundled(LoadOptions.defaults().withThreads(2).withContextLength(64));
        Session session = llm.session();
        Generation generation = session.generate(new int[] {0, 5}, GenerationOptions.greedy());
        llm.close();
        llm.close();
        for (Runnable use : List.<Runnable>of(
                llm::session,
                () -> llm.session(8),
                session::tokens,
                () -> session.truncate(0),
                () -> session.generate("a", GenerationOptions.greedy()),
                () -> session.score(new int[] {0, 1}),
                generation::text)) {
            String message = assertThrows(IllegalStateException.class, use::run).getMessage();
            assertTrue(message.contains("closed"), message);
        }
        session.close();
        assertEquals("deepseek_v3", llm.info().modelType(), "what was loaded stays known");
    }
}
