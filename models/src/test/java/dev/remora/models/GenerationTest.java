package dev.remora.models;

import static dev.remora.models.Fakes.events;
import static dev.remora.models.Fakes.finished;
import static dev.remora.models.Fakes.greedy;
import static dev.remora.models.Fakes.list;
import static dev.remora.models.Fakes.text;
import static dev.remora.models.Fakes.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.ContextOverflowException;
import dev.remora.core.RemoraException;
import dev.remora.core.sampling.LogSoftmax;
import dev.remora.core.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a generation produces, and in what state it leaves the session. */
class GenerationTest {
    private static final int[] PROMPT = IntStream.range(5, 42).toArray();

    private final FakeStepRunner runner = new FakeStepRunner(Fakes.VOCAB, 8);
    private final Llm bare = Fakes.withoutText(runner);
    private final Llm llm = Fakes.withText(runner);

    @Test
    void promptIsChunkedAndTokensFollow() {
        Session session = bare.session(100);
        List<GenerationEvent> events = events(session.generate(PROMPT, tokens(10)));
        assertEquals(greedy(runner, list(PROMPT), 10), FakeStepRunner.ids(events));
        assertEquals(5 + 9, runner.steps.get());
        assertEquals(47, session.position());
        GenerationEvent.Finished end = finished(events);
        assertEquals(FinishReason.MAX_TOKENS, end.reason());
        assertEquals(37, end.usage().promptTokens());
        assertEquals(0, end.usage().cachedTokens());
        assertEquals(10, end.usage().generatedTokens());
        assertFalse(end.usage().timeToFirstToken().isZero());
        assertFalse(end.usage().promptTime().isZero());
        assertFalse(end.usage().generationTime().isZero());
        assertTrue(end.usage().promptTokensPerSecond() > 0);
        assertTrue(end.usage().generatedTokensPerSecond() > 0);
    }

    @Test
    void chunksDoNotMatter() {
        for (int rows : new int[] {1, 5, 37, 512}) {
            FakeStepRunner other = new FakeStepRunner(Fakes.VOCAB, rows);
            try (Llm model = Fakes.withoutText(other);
                    Session session = model.session(100)) {
                assertEquals(greedy(runner, list(PROMPT), 5), FakeStepRunner.ids(session.generate(PROMPT, tokens(5))));
            }
        }
    }

    @Test
    void logProbabilitiesAreTheModelsOwn() {
        GenerationOptions options = tokens(6)
                .withSampling(SamplingParams.defaults()
                        .withSeed(3)
                        .withTemperature(0.5f)
                        .withTopK(3)
                        .withRepetitionPenalty(1.3f));
        List<Integer> history = new ArrayList<>(list(PROMPT));
        for (GenerationEvent event : bare.session(100).generate(PROMPT, options)) {
            if (event instanceof GenerationEvent.Token token) {
                float[] logits = runner.logits(history);
                double expected = logits[token.id()] - LogSoftmax.logSumExp(logits, 0, logits.length);
                assertEquals((float) expected, token.logProbability());
                history.add(token.id());
            }
        }
        assertEquals(43, history.size());
    }

    @Test
    void manyTurnsEqualOne() {
        Session turns = bare.session(200);
        List<Integer> first = FakeStepRunner.ids(turns.generate(PROMPT, tokens(5)));
        assertEquals(42, turns.position());
        List<Integer> second = FakeStepRunner.ids(turns.generate(new int[] {7, 8, 9}, tokens(5)));

        List<Integer> whole = new ArrayList<>(list(PROMPT));
        whole.addAll(first);
        whole.addAll(List.of(7, 8, 9));
        assertEquals(greedy(runner, whole, 5), second);
        whole.addAll(second);
        assertEquals(whole, list(turns.tokens()));
        // No ids: goes on from where it is.
        assertEquals(greedy(runner, whole, 4), FakeStepRunner.ids(turns.generate(new int[0], tokens(4))));
    }

    @Test
    void goesOnAfterTruncation() {
        Session session = bare.session(200);
        session.generate(PROMPT, tokens(9)).text();
        session.truncate(20);
        assertEquals(20, session.position());
        assertEquals(
                greedy(runner, list(PROMPT).subList(0, 20), 4),
                FakeStepRunner.ids(session.generate(new int[0], tokens(4))));
        session.truncate(0);
        assertEquals(greedy(runner, list(PROMPT), 4), FakeStepRunner.ids(session.generate(PROMPT, tokens(4))));
        assertEquals(
                "position: expected 0 to 41, the tokens of this session, found 42",
                assertThrows(IllegalArgumentException.class, () -> session.truncate(42))
                        .getMessage());
        assertThrows(IllegalArgumentException.class, () -> session.truncate(-1));
    }

    @Test
    void sameSeedSameText() {
        SamplingParams seeded = SamplingParams.defaults().withSeed(99);
        String first =
                llm.session().generate("Once", tokens(30).withSampling(seeded)).text();
        assertEquals(
                first,
                llm.session().generate("Once", tokens(30).withSampling(seeded)).text());
        assertNotEquals(
                first,
                llm.session()
                        .generate("Once", tokens(30).withSampling(seeded.withSeed(98)))
                        .text());
    }

    @Test
    void aDrawnSeedIsReported() {
        Generation generation = llm.session().generate("Once", tokens(30).withSampling(SamplingParams.defaults()));
        assertNotEquals(
                SamplingParams.RANDOM_SEED, generation.options().sampling().seed());
        assertEquals(
                generation.text(),
                llm.session().generate("Once", generation.options()).text());
    }

    @Test
    void repetitionPenaltySeesPromptAndAnswer() {
        // Every id but the seen ones is forbidden; the penalty then decides between them.
        runner.script(2, 10, 10, 10);
        GenerationOptions options =
                tokens(3).withSampling(SamplingParams.greedy().withRepetitionPenalty(10));
        List<Integer> ids = FakeStepRunner.ids(bare.session(50).generate(new int[] {10, 11}, options));
        assertEquals(3, ids.size());
        assertFalse(ids.contains(10), "50 / 10 is less than the largest of the others, about 8");
        assertEquals(3, ids.stream().distinct().count());
    }

    @Test
    void stopTokenEndsWithoutText() {
        int[] ids = llm.tokenizer().encode("Hello there");
        Integer[] script = new Integer[ids.length + 1];
        for (int i = 0; i < ids.length; i++) {
            script[i] = ids[i];
        }
        script[ids.length] = Fakes.EOS;
        runner.script(1, script);
        Session session = llm.session();
        List<GenerationEvent> events = events(session.generate(new int[] {0}, GenerationOptions.greedy()));
        assertEquals("Hello there", text(events));
        assertEquals(FinishReason.STOP_TOKEN, finished(events).reason());
        assertEquals(ids.length + 1, finished(events).usage().generatedTokens());
        assertEquals(Fakes.EOS, session.tokens()[session.position() - 1]);
        assertEquals(ids.length + 2, session.position());

        List<GenerationEvent> on = events(llm.session().generate(new int[] {0}, tokens(ids.length + 3)));
        assertEquals(FinishReason.MAX_TOKENS, finished(on).reason());

        GenerationOptions asked = tokens(50).withStopTokenIds(List.of(ids[0]));
        List<GenerationEvent> early = events(llm.session().generate(new int[] {0}, asked));
        assertEquals(FinishReason.STOP_TOKEN, finished(early).reason());
        assertEquals("", text(early));
    }

    @ParameterizedTest
    @ValueSource(strings = {"END", "E", " the END", "D of", "\uD83D\uDC19", "é"})
    void stopStringsOverTokenBorders(String stop) {
        String all = "This is é the END of \uD83D\uDC19 it";
        int[] ids = llm.tokenizer().encode(all);
        runner.script(1, IntStream.of(ids).boxed().toArray(Integer[]::new));
        Session session = llm.session();
        List<GenerationEvent> events =
                events(session.generate(new int[] {0}, tokens(ids.length).withStopStrings("never", stop)));
        assertEquals(all.substring(0, all.indexOf(stop)), text(events));
        assertEquals(FinishReason.STOP_STRING, finished(events).reason());
        int generated = finished(events).usage().generatedTokens();
        assertEquals(1 + generated, session.position());
        String whole = llm.tokenizer().decode(ids, 0, generated);
        assertTrue(whole.contains(stop), "the ids of the stop string are in the session");
        assertFalse(llm.tokenizer().decode(ids, 0, generated - 1).contains(stop), "no step too many");
    }

    @Test
    void heldTextIsReleasedAtTheEnd() {
        int[] ids = llm.tokenizer().encode("so EN");
        runner.script(1, IntStream.of(ids).boxed().toArray(Integer[]::new));
        List<GenerationEvent> events =
                events(llm.session().generate(new int[] {0}, tokens(ids.length).withStopStrings("END")));
        assertEquals("so EN", text(events));
        assertEquals(new GenerationEvent.Text("EN"), events.get(events.size() - 2));
    }

    @Test
    void anIncompleteCharacterIsReplacedAtTheEnd() {
        int[] ids = llm.tokenizer().encode("\uD83D\uDC19");
        assertTrue(ids.length > 1, "the character takes several tokens");
        runner.script(1, IntStream.of(ids).boxed().toArray(Integer[]::new));
        assertEquals(
                "\uD83D\uDC19",
                llm.session().generate(new int[] {0}, tokens(ids.length)).text());
        List<GenerationEvent> cut = events(llm.session().generate(new int[] {0}, tokens(ids.length - 1)));
        assertEquals(new GenerationEvent.Text("\uFFFD"), cut.get(cut.size() - 2));
    }

    @Test
    void contextFull() {
        Session session = bare.session(40);
        List<GenerationEvent> events = events(session.generate(PROMPT, tokens(GenerationOptions.UNLIMITED)));
        assertEquals(greedy(runner, list(PROMPT), 3), FakeStepRunner.ids(events));
        assertEquals(FinishReason.CONTEXT_FULL, finished(events).reason());
        assertEquals(40, session.position());
        List<GenerationEvent> none = events(session.generate(new int[0], tokens(5)));
        assertEquals(FinishReason.CONTEXT_FULL, finished(none).reason());
        assertEquals(1, none.size());
        ContextOverflowException e =
                assertThrows(ContextOverflowException.class, () -> session.generate(new int[] {1}, tokens(5)));
        assertEquals(
                "prompt: expected at most 0 tokens, which are free of this session's 40, found 1. Open a session with a larger"
                        + " context (this model: up to 4096), shorten the prompt, or truncate the session",
                e.getMessage());
    }

    @Test
    void noTokensOnlyRunsThePrompt() {
        Session session = bare.session(100);
        List<GenerationEvent> events = events(session.generate(PROMPT, tokens(0)));
        assertEquals(FinishReason.MAX_TOKENS, finished(events).reason());
        assertEquals(1, events.size());
        assertEquals(37, runner.rows.get());
        assertEquals(greedy(runner, list(PROMPT), 3), FakeStepRunner.ids(session.generate(new int[0], tokens(3))));
    }

    @Test
    void textPromptBeginsWithBosOnce() {
        Session session = llm.session();
        session.generate("A", tokens(1)).text();
        assertEquals(0, session.tokens()[0]);
        int position = session.position();
        session.generate("B", tokens(1)).text();
        assertEquals(llm.tokenizer().encode("B")[0], session.tokens()[position]);
        Session spelt = llm.session();
        spelt.generate("<｜begin▁of▁sentence｜>A", tokens(1)).text();
        assertEquals(0, spelt.tokens()[0]);
        assertNotEquals(0, spelt.tokens()[1]);
        Session empty = llm.session();
        empty.generate("", tokens(1)).text();
        assertEquals(2, empty.position(), "BOS alone is a prompt");
    }

    @Test
    void workIsDoneWhenAskedFor() {
        Session session = bare.session(100);
        Generation generation = session.generate(PROMPT, tokens(10));
        assertEquals(0, runner.steps.get());
        assertEquals(0, session.position());
        Iterator<GenerationEvent> events = generation.iterator();
        events.next();
        assertEquals(5, runner.steps.get());
        assertEquals(38, session.position());
        generation.close();
        assertFalse(events.hasNext());
        assertThrows(java.util.NoSuchElementException.class, events::next);
        assertEquals(5, runner.steps.get());
        assertEquals(38, session.position(), "what was generated stays");
    }

    @Test
    void streamsCloseTheirGeneration() {
        Session session = bare.session(100);
        Generation generation = session.generate(PROMPT, tokens(10));
        try (Stream<GenerationEvent> stream = generation.stream()) {
            assertEquals(2, stream.limit(2).count());
        }
        assertEquals(39, session.position());
        assertEquals(
                "the events of a generation can be read once: generate again",
                assertThrows(IllegalStateException.class, generation::stream).getMessage());
    }

    @Test
    void aLaterCallEndsAnUnfinishedGeneration() {
        Session session = bare.session(100);
        Iterator<GenerationEvent> first = session.generate(PROMPT, tokens(10)).iterator();
        GenerationEvent.Token token = assertInstanceOf(GenerationEvent.Token.class, first.next());
        List<Integer> rest = FakeStepRunner.ids(session.generate(new int[0], tokens(2)));
        assertEquals(
                "a later call on the session ended this generation",
                assertThrows(IllegalStateException.class, first::hasNext).getMessage());
        List<Integer> expected = greedy(runner, list(PROMPT), 3);
        assertEquals(expected, List.of(token.id(), rest.get(0), rest.get(1)));
    }

    @Test
    void refusesWhatCannotBe() {
        Session session = bare.session(30);
        RemoraException empty = assertThrows(RemoraException.class, () -> session.generate(new int[0], tokens(1)));
        assertEquals(
                "prompt: expected at least one token, found none. Give a text, or begin with the BOS token, id 0",
                empty.getMessage());
        IllegalArgumentException id =
                assertThrows(IllegalArgumentException.class, () -> session.generate(new int[] {3, 1792}, tokens(1)));
        assertEquals(
                "ids[1]: expected a token id from 0 to 1791, found 1792. Are tokenizer and weights of the same model?",
                id.getMessage());
        assertThrows(IllegalArgumentException.class, () -> session.generate(new int[] {-1}, tokens(1)));
        assertThrows(ContextOverflowException.class, () -> session.generate(PROMPT, tokens(1)));
        assertThrows(CheckpointException.class, () -> session.generate("text", tokens(1)));
        assertThrows(
                CheckpointException.class,
                () -> session.generate(new int[] {1}, tokens(1).withStopStrings("x")));
        assertThrows(
                IllegalArgumentException.class,
                () -> session.generate(
                        new int[] {1},
                        tokens(1).withSampling(SamplingParams.greedy().withLogitBias(Map.of(1792, 1f)))));
        assertThrows(IllegalArgumentException.class, () -> tokens(-1));
        assertThrows(IllegalArgumentException.class, () -> tokens(1).withStopStrings(""));
        assertThrows(IllegalArgumentException.class, () -> tokens(1).withStopTokenIds(List.of(-1)));
        assertThrows(IllegalArgumentException.class, () -> bare.session(0));
        assertThrows(IllegalArgumentException.class, () -> bare.session(4097));
        assertEquals(0, session.position());
        assertEquals(greedy(runner, List.of(3), 2), FakeStepRunner.ids(session.generate(new int[] {3}, tokens(2))));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5, 6, 9})
    void aFailedStepLeavesTheSessionAsItWas(int step) {
        Session session = bare.session(100);
        for (boolean nan : new boolean[] {false, true}) {
            if (nan && step < 5) {
                continue; // No logits are asked for before the prompt's last chunk.
            }
            session.truncate(0);
            runner.steps.set(0);
            runner.failingStep = nan ? 0 : step;
            runner.brokenStep = nan ? step : 0;
            List<Integer> ids = new ArrayList<>();
            Iterator<GenerationEvent> events =
                    session.generate(PROMPT, tokens(10)).iterator();
            RuntimeException e = assertThrows(RuntimeException.class, () -> {
                while (events.hasNext()) {
                    ids.add(((GenerationEvent.Token) events.next()).id());
                }
            });
            assertTrue(e.getMessage().contains(nan ? "found NaN for token 896" : "step " + step + " fails"));
            assertFalse(events.hasNext());
            int generated = Math.max(0, step - 5);
            assertEquals(generated, ids.size());
            assertEquals(generated == 0 ? 0 : 37 + generated, session.position());
            int[] again = generated == 0 ? PROMPT : new int[0];
            ids.addAll(FakeStepRunner.ids(session.generate(again, tokens(10 - generated))));
            assertEquals(greedy(runner, list(PROMPT), 10), ids);
        }
    }
}
