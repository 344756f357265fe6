package dev.remora.models;

import static dev.remora.models.Fakes.greedy;
import static dev.remora.models.Fakes.list;
import static dev.remora.models.Fakes.tokens;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.ContextOverflowException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReadTest {
    private static final int[] IDS = IntStream.range(100, 120).toArray();

    private final FakeStepRunner runner = new FakeStepRunner(300, 8);
    private final Llm llm = Fakes.withoutText(runner);
    private final float[] logits = new float[300];

    @Test
    void idsStayAndTheLogitsAreThoseAfterTheLast() {
        Session session = llm.session(50);
        session.read(IDS, logits);
        assertArrayEquals(runner.logits(list(IDS)), logits);
        assertArrayEquals(IDS, session.tokens());
        assertEquals(20, runner.rows.get());
        int steps = runner.steps.get();
        session.read(new int[] {7}, logits);
        assertEquals(steps + 1, runner.steps.get(), "one id is one step");
        List<Integer> all = new ArrayList<>(list(IDS));
        all.add(7);
        assertArrayEquals(runner.logits(all), logits);
        assertEquals(greedy(runner, all, 3), FakeStepRunner.ids(session.generate(new int[0], tokens(3))));
    }

    @Test
    void whatAGenerationLeftPendingIsReadToo() {
        Session session = llm.session(50);
        session.generate(IDS, tokens(2)).text();
        List<Integer> held = list(session.tokens());
        session.read(new int[] {9}, logits);
        held.add(9);
        assertArrayEquals(runner.logits(held), logits);
    }

    @Test
    void aStepThatFailsLeavesTheSessionAsItWas() {
        Session session = llm.session(50);
        session.read(new int[] {1, 2}, logits);
        runner.failingStep = 3;
        assertThrows(IllegalArgumentException.class, () -> session.read(IDS, logits));
        assertArrayEquals(new int[] {1, 2}, session.tokens());
        runner.failingStep = 0;
        session.read(new int[] {3}, logits);
        assertArrayEquals(runner.logits(list(1, 2, 3)), logits);
    }

    @Test
    void refusesWhatCannotBe() {
        Session session = llm.session(10);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> session.read(new int[0], logits))
                .getMessage()
                .startsWith("ids: expected at least 1"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> session.read(IDS, new float[299]))
                .getMessage()
                .startsWith("logits: expected 300 elements"));
        assertThrows(IllegalArgumentException.class, () -> session.read(new int[] {300}, logits));
        assertThrows(ContextOverflowException.class, () -> session.read(IDS, logits));
        assertEquals(0, session.position());
    }
}
