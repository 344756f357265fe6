package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.ExpertMemory;
import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guard and a controller at work, on the bundled model: 4 of 16 experts. */
@Timeout(120)
class GuardTest {
    private static final LoadOptions OPTIONS =
            LoadOptions.defaults().withThreads(2).withContextLength(512);
    private static final RouterPolicy BAD = RouterPolicy.parse("topk:1+noise:1,seed=3");
    private static final Guard STRICT = Guard.parse("kl=1e-9,top1=0.9,every=4,window=8");

    /** Trips by nothing. */
    private static final Guard BLIND = Guard.parse("kl=1000,top1=0,every=3,window=8");

    private static final class Notes implements EngineListener {
        private final List<String> changes = new ArrayList<>();
        private final List<Integer> sampled = new ArrayList<>();
        private int tokens;

        @Override
        public void token(int position, long nanos) {
            tokens++;
        }

        @Override
        public void policy(RouterPolicy before, RouterPolicy now, String reason) {
            changes.add(before + " > " + now + ": " + reason);
        }

        @Override
        public void divergence(int position, double kl, boolean sameTop) {
            assertTrue(kl >= 0);
            sampled.add(position);
        }
    }

    /** Logits of tokens one by one, after a prompt of 8. */
    private static List<float[]> decode(Llm llm, int seed, int tokens) {
        VectorKernels.await();
        StepRunner runner = llm.runner();
        List<float[]> rows = new ArrayList<>();
        try (StepRunner.Slot slot = runner.open(512)) {
            int[] ids = new SplittableRandom(seed).ints(8 + tokens, 2, 1700).toArray();
            slot.append(ids, 0, 8, 0, new float[0]);
            for (int i = 8; i < ids.length; i++) {
                float[] logits = new float[runner.vocabSize()];
                slot.append(ids, i, 1, 1, logits);
                rows.add(logits);
            }
        }
        return rows;
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual) {
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "row " + row);
        }
    }

    @ParameterizedTest
    @CsvSource({"topk:1", "'noise:1,seed=4'", "mass:0.5+capacity:0.5", "'available:m=12,lambda=2,loss=1,keep=0'"})
    void aGuardThatDoesNotTripChangesNothing(String text) {
        RouterPolicy policy = RouterPolicy.parse(text);
        Notes notes = new Notes();
        try (Llm plain = Llm.bundled(OPTIONS.withPolicy(policy));
                Llm guarded =
                        Llm.bundled(OPTIONS.withPolicy(policy).withGuard(BLIND).withListener(notes))) {
            assertSame(decode(plain, 1, 20), decode(guarded, 1, 20));
        }
        assertEquals(List.of("exact > " + policy + ": asked for"), notes.changes);
        assertEquals(List.of(8, 11, 14, 17, 20, 23, 26), notes.sampled);
        assertEquals(20, notes.tokens, "what runs in the shadow is not told");
    }

    @Test
    void aBadPolicyTripsAndTheStepThatShowsItIsExact() {
        Notes notes = new Notes();
        try (Llm exact = Llm.bundled(OPTIONS);
                Llm bad = Llm.bundled(OPTIONS.withPolicy(BAD));
                Llm guarded =
                        Llm.bundled(OPTIONS.withPolicy(BAD).withGuard(STRICT).withListener(notes))) {
            List<float[]> expected = decode(exact, 2, 60);
            List<float[]> wild = decode(bad, 2, 60);
            List<float[]> actual = decode(guarded, 2, 60);
            assertNotEquals(0, Logits.difference(expected, wild));
            assertEquals(2, notes.changes.size(), notes.changes.toString());
            assertTrue(notes.changes.get(1).startsWith(BAD + " > exact: guard: mean KL "), notes.changes.get(1));
            // The first sampled step is the first step, and bad enough: nothing of the policy was ever kept.
            assertSame(expected, actual);
            assertEquals(BAD, guarded.policy(), "what was asked for");
            // Another policy is trusted, and may be right.
            guarded.policy(RouterPolicy.parse("topk:4"));
            assertSame(decode(exact, 3, 20), decode(guarded, 3, 20));
            assertEquals(3, notes.changes.size());
            assertTrue(notes.changes.getLast().endsWith("> topk:4: asked for"), notes.changes.getLast());
        }
    }

    /** Experts that are read too late are left out; once they are in memory the policy is as good as the exact router. */
    @Test
    void aPolicyThatGetsBetterIsTrustedAgain() {
        RouterPolicy policy = RouterPolicy.parse("fallback:deadline=0ms,order=shared");
        Notes notes = new Notes();
        LoadOptions options = OPTIONS.withPolicy(policy)
                .withExpertMemory(ExpertMemory.ofShare(1))
                .withGuard(Guard.parse("kl=0.0001,top1=1,every=1,window=4"))
                .withListener(notes);
        try (Llm exact = Llm.bundled(OPTIONS);
                Llm guarded = Llm.bundled(options)) {
            // No prompt: its experts would be in memory.
            try (StepRunner.Slot slot = guarded.runner().open(64)) {
                float[] logits = new float[guarded.runner().vocabSize()];
                for (int i = 0; i < 20; i++) {
                    slot.append(new int[] {700}, 0, 1, 1, logits);
                }
            }
            assertTrue(
                    notes.changes.stream().anyMatch(change -> change.contains("> exact: guard: mean KL")),
                    notes.changes.toString());
            // Patient: how long the experts take to come decides when, and each failure doubles what is asked for.
            for (int round = 0;
                    round < 20 || (round < 400 && !notes.changes.getLast().startsWith("exact >"));
                    round++) {
                decode(guarded, 5, 40);
            }
            assertTrue(
                    notes.changes.getLast().startsWith("exact > " + policy + ": guard: mean KL 0 and 0 of 4"),
                    notes.changes.toString());
            assertSame(decode(exact, 5, 40), decode(guarded, 5, 40));
        }
    }

    @Test
    void whatTheGuardDoesIsRecorded(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("guard.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("remora.Policy");
            recording.enable("remora.Divergence");
            recording.start();
            try (Llm llm = Llm.bundled(OPTIONS.withPolicy(BAD).withGuard(STRICT))) {
                decode(llm, 2, 9);
            }
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        assertEquals(
                List.of(8, 12, 16),
                events.stream()
                        .filter(event -> event.getEventType().getName().equals("remora.Divergence"))
                        .map(event -> event.getInt("position"))
                        .sorted()
                        .toList());
        assertTrue(events.stream()
                .filter(event -> event.getEventType().getName().equals("remora.Policy"))
                .anyMatch(event -> event.getString("reason").startsWith("guard: mean KL")
                        && event.getString("to").equals("exact")));
    }

    @Test
    void aTargetOutOfReachIsAimedAtAsFarAsThePolicyGoes() {
        Notes notes = new Notes();
        LoadOptions options = OPTIONS.withPolicy(RouterPolicy.parse("topk:2"))
                .withTarget(Target.parse("tokens-per-second=1e9,every=2"))
                .withListener(notes);
        try (Llm llm = Llm.bundled(options);
                Llm two = Llm.bundled(OPTIONS.withPolicy(RouterPolicy.parse("topk:2")))) {
            decode(llm, 1, 20);
            assertEquals(3, notes.changes.size(), notes.changes.toString());
            assertEquals("exact > topk:4: asked for", notes.changes.get(0));
            assertTrue(notes.changes.get(1).startsWith("topk:4 > topk:3: target: tokens per second "));
            assertTrue(notes.changes.get(2).startsWith("topk:3 > topk:2: target: tokens per second "));
            assertSame(decode(two, 2, 20), decode(llm, 2, 20));
            assertEquals(RouterPolicy.parse("topk:2"), llm.policy());
        }
    }

    @Test
    void aTargetThatIsMetLeavesTheRouterExact() {
        LoadOptions options = OPTIONS.withPolicy(RouterPolicy.parse("topk:1"))
                .withTarget(Target.parse("tokens-per-second=0.001,every=1"));
        try (Llm llm = Llm.bundled(options);
                Llm exact = Llm.bundled(OPTIONS)) {
            assertSame(decode(exact, 2, 20), decode(llm, 2, 20));
        }
    }

    @Test
    void hitsAreMeasured() {
        Notes notes = new Notes();
        LoadOptions options = OPTIONS.withExpertMemory(ExpertMemory.ofShare(0.2))
                .withPolicy(RouterPolicy.parse("available:m=12,lambda=4,loss=1,keep=1"))
                .withTarget(Target.parse("hit-rate=1,every=4"))
                .withListener(notes);
        try (Llm llm = Llm.bundled(options)) {
            decode(llm, 1, 60);
        }
        assertTrue(notes.changes.size() > 1);
        assertTrue(notes.changes.get(1).contains("target: hit rate 0."), notes.changes.get(1));
        assertTrue(
                notes.changes.get(1).contains("misses the least of 1; lambda is level 1 of 8"), notes.changes.get(1));
    }

    @Test
    void uselessCombinationsAreRefused() {
        IllegalArgumentException guard =
                assertThrows(IllegalArgumentException.class, () -> Llm.bundled(OPTIONS.withGuard(STRICT)));
        assertTrue(guard.getMessage().startsWith("guard: expected a policy for decoded tokens"));
        IllegalArgumentException target = assertThrows(
                IllegalArgumentException.class, () -> Llm.bundled(OPTIONS.withTarget(Target.parse("hit-rate=0.9"))));
        assertTrue(target.getMessage().startsWith("target: expected a policy"));
        assertFalse(target.getMessage().isEmpty());
    }
}
