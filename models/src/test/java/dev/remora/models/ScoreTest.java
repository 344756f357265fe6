package dev.remora.models;

import static dev.remora.models.Fakes.greedy;
import static dev.remora.models.Fakes.list;
import static dev.remora.models.Fakes.tokens;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.ContextOverflowException;
import dev.remora.core.RemoraException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScoreTest {
    private static final int[] IDS = IntStream.range(100, 137).toArray();

    private final FakeStepRunner runner = new FakeStepRunner(300, 8);
    private final Llm llm = Fakes.withoutText(runner);

    /** log p of ids[i + 1], by the definition. */
    private List<Float> expected(List<Integer> before, int[] ids) {
        List<Float> all = new ArrayList<>();
        List<Integer> history = new ArrayList<>(before);
        for (int i = 0; i + 1 < ids.length; i++) {
            history.add(ids[i]);
            float[] logits = runner.logits(history);
            double max = Double.NEGATIVE_INFINITY;
            for (float l : logits) {
                max = Math.max(max, l);
            }
            double sum = 0;
            for (float l : logits) {
                sum += Math.exp(l - max);
            }
            all.add((float) (logits[ids[i + 1]] - (max + Math.log(sum))));
        }
        return all;
    }

    @Test
    void scoresAreTheDefinitions() {
        Score score = llm.session(50).score(IDS);
        assertEquals(expected(List.of(), IDS), score.logProbabilities());
        double mean = score.logProbabilities().stream().mapToDouble(x -> x).sum() / 36;
        assertEquals(mean, score.mean(), 1e-12);
        assertEquals(Math.exp(-mean), score.perplexity(), 1e-9);
        assertEquals(36, runner.rows.get(), "the row after the last id is not computed");
    }

    @Test
    void scoringLeavesTheSessionAsItWas() {
        Session session = llm.session(100);
        int[] prompt = {1, 2, 3};
        session.generate(prompt, tokens(4)).text();
        List<Integer> held = list(session.tokens());
        assertEquals(expected(held, IDS), session.score(IDS).logProbabilities());
        assertEquals(expected(held, IDS), session.score(IDS).logProbabilities());
        assertEquals(held, list(session.tokens()));
        assertEquals(
                greedy(runner, list(prompt), 7).subList(4, 7),
                FakeStepRunner.ids(session.generate(new int[0], tokens(3))));
    }

    @Test
    void rowsComeInOrder() {
        List<Integer> indices = new ArrayList<>();
        List<Integer> history = new ArrayList<>();
        llm.session(50).score(IDS, (index, logits) -> {
            indices.add(index);
            history.add(IDS[index]);
            assertArrayEquals(runner.logits(history), logits);
        });
        assertEquals(IntStream.range(0, 37).boxed().toList(), indices);
    }

    @Test
    void aFailingConsumerHarmsNothing() {
        Session session = llm.session(50);
        assertThrows(
                ArithmeticException.class,
                () -> session.score(IDS, (index, logits) -> {
                    if (index == 10) {
                        throw new ArithmeticException("mine");
                    }
                }));
        assertEquals(0, session.position());
        assertEquals(expected(List.of(), IDS), session.score(IDS).logProbabilities());
    }

    @Test
    void theConsumerMustNotUseTheSession() {
        Session session = llm.session(50);
        IllegalStateException e = assertThrows(
                IllegalStateException.class, () -> session.score(IDS, (index, logits) -> session.truncate(0)));
        assertEquals("the session is in use by the call that this callback belongs to", e.getMessage());
        assertThrows(IllegalStateException.class, () -> session.score(IDS, (index, logits) -> session.close()));
        assertEquals(0, session.position());
    }

    @Test
    void refusesWhatCannotBe() {
        Session session = llm.session(36);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> session.score(new int[] {5}))
                .getMessage()
                .startsWith("ids: expected at least 2"));
        assertThrows(
                ContextOverflowException.class,
                () -> session.score(IntStream.range(0, 38).toArray()));
        assertThrows(IllegalArgumentException.class, () -> session.score(new int[] {1, 300}));
        assertThrows(IllegalArgumentException.class, () -> session.score(new int[] {300, 1}));
        runner.brokenStep = 2;
        assertThrows(RemoraException.class, () -> session.score(IDS));
        runner.brokenStep = 0;
        assertEquals(expected(List.of(), IDS), session.score(IDS).logProbabilities());
    }
}
