package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.moe.ExpertMemory;
import dev.remora.moe.policy.RouterPolicy;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences that wait for one token at the same time share a step, and notice nothing of it. */
@Timeout(120)
class SharedStepsTest {
    private static final LoadOptions OPTIONS =
            LoadOptions.defaults().withThreads(2).withContextLength(256);

    /** Holds the engine thread in its next step until others wait in line. */
    private static final class Gathering implements EngineListener {
        private final List<String> steps = Collections.synchronizedList(new ArrayList<>());
        private volatile List<Thread> awaited = List.of();

        @Override
        public void step(StepFigures figures) {
            steps.add(figures.rows() + "/" + figures.sequences());
            for (Thread thread : awaited) {
                while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TERMINATED) {
                    pause();
                }
            }
            awaited = List.of();
        }

        private static void pause() {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** One sequence, its next token, and what came of it. */
    private static final class Member {
        private final StepRunner.Slot slot;
        private final int[] ids;
        private final float[] logits;
        private volatile Throwable failure;

        Member(Llm llm, int... ids) {
            slot = llm.runner().open(128);
            this.ids = ids;
            logits = new float[llm.runner().vocabSize()];
        }

        void append(int from, int count) {
            try {
                slot.append(ids, from, count, 1, logits);
                failure = null;
            } catch (RuntimeException e) {
                failure = e;
            }
        }
    }

    /** Has all members ask for their next rows while another step is running. */
    private static void together(Llm llm, Gathering gathering, List<Member> members, int from, int... counts)
            throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            int count = counts[Math.min(i, counts.length - 1)];
            threads.add(Thread.ofPlatform().unstarted(() -> member.append(from, count)));
        }
        gathering.awaited = threads;
        Member first = new Member(llm, 0, 1);
        Thread starter = Thread.ofPlatform().start(() -> first.append(0, 2));
        // Not before the engine is in that step, or they would be in it.
        while (gathering.steps.isEmpty() || !gathering.steps.getLast().equals("2/1")) {
            Thread.sleep(1);
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        starter.join();
        first.slot.close();
    }

    private static float[] alone(Llm llm, int[] ids, int from, int count) {
        Member member = new Member(llm, ids);
        if (from > 0) {
            member.append(0, from);
        }
        member.append(from, count);
        assertNull(member.failure);
        member.slot.close();
        return member.logits;
    }

    @ParameterizedTest
    @ValueSource(strings = {"exact", "topk:2", "mass:0.7+noise:0.3,seed=9+capacity:0.5"})
    void aSharedStepGivesTheBitsOfOneAlone(String policy) throws InterruptedException {
        Gathering gathering = new Gathering();
        try (Llm llm =
                Llm.bundled(OPTIONS.withPolicy(RouterPolicy.parse(policy)).withListener(gathering))) {
            VectorKernels.await();
            SplittableRandom random = new SplittableRandom(4);
            List<Member> members = new ArrayList<>();
            List<float[]> expected = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                // Of different lengths, so of different positions.
                int[] ids = random.ints(5, 2, 1700).toArray();
                Member member = new Member(llm, ids);
                member.append(0, 4);
                members.add(member);
                expected.add(alone(llm, ids, 4, 1));
            }
            gathering.steps.clear();
            together(llm, gathering, members, 4, 1);
            assertEquals(List.of("2/1", "20/20"), gathering.steps);
            for (int i = 0; i < members.size(); i++) {
                assertNull(members.get(i).failure);
                assertEquals(5, members.get(i).slot.position());
                assertArrayEquals(expected.get(i), members.get(i).logits, "sequence " + i);
            }
        }
    }

    @Test
    void promptsRunByThemselvesAndTakeTurns() throws InterruptedException {
        Gathering gathering = new Gathering();
        try (Llm llm = Llm.bundled(OPTIONS.withListener(gathering))) {
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                members.add(new Member(llm, 5, 6, 7, 8));
            }
            together(llm, gathering, members, 0, 3, 1, 3, 1);
            assertEquals("2/1", gathering.steps.get(0));
            assertEquals("2/2", gathering.steps.get(1), "those who decode first");
            assertEquals(List.of("3/1", "3/1"), gathering.steps.subList(2, 4));
            assertArrayEquals(alone(llm, new int[] {5, 6, 7}, 0, 3), members.get(0).logits);
            assertArrayEquals(alone(llm, new int[] {5}, 0, 1), members.get(1).logits);
        }
    }

    @Test
    void aBadIdAndACancelledOneFailAlone() throws InterruptedException {
        Gathering gathering = new Gathering();
        try (Llm llm = Llm.bundled(OPTIONS.withListener(gathering))) {
            Member good = new Member(llm, 5);
            Member bad = new Member(llm, 1 << 20);
            Member cancelled = new Member(llm, 6);
            Member full = new Member(llm, 7);
            cancelled.slot.cancel();
            together(llm, gathering, List.of(good, bad, cancelled), 0, 1);
            assertEquals(List.of("2/1", "2/2"), gathering.steps);
            assertNull(good.failure);
            assertArrayEquals(alone(llm, new int[] {5}, 0, 1), good.logits);
            assertInstanceOf(RemoraException.class, bad.failure);
            assertTrue(bad.failure.getMessage().startsWith("token id: expected 0 to"), bad.failure.getMessage());
            assertEquals(0, bad.slot.position());
            assertInstanceOf(CancellationException.class, cancelled.failure);
            assertEquals(0, cancelled.slot.position());
            // Afterwards all of them go on.
            cancelled.append(0, 1);
            assertNull(cancelled.failure);
            assertArrayEquals(alone(llm, new int[] {6}, 0, 1), cancelled.logits);
            full.slot.close();
        }
    }

    @Test
    void allCancelledEndBeforeTheyRun() throws InterruptedException {
        Gathering gathering = new Gathering();
        try (Llm llm = Llm.bundled(OPTIONS.withListener(gathering))) {
            List<Member> members = List.of(new Member(llm, 5), new Member(llm, 6));
            members.forEach(member -> member.slot.cancel());
            together(llm, gathering, members, 0, 1);
            assertEquals(List.of("2/1"), gathering.steps);
            for (Member member : members) {
                assertInstanceOf(CancellationException.class, member.failure);
                assertEquals(0, member.slot.position());
            }
        }
    }

    /** Experts at the end of the file cannot be read: tokens that need one fail, in the middle of a step, and only those. */
    @Test
    void anExpertThatCannotBeReadFailsTheOneWhoNeedsIt(@TempDir Path folder) throws Exception {
        Path model = TestCheckpoint.golden("v2-lite").write(folder, 1);
        Path file = model.resolve("model.safetensors");
        Gathering gathering = new Gathering();
        LoadOptions options = Logits.EXACT.withListener(gathering);
        List<Member> good = new ArrayList<>();
        List<Member> bad = new ArrayList<>();
        try (Llm whole = Llm.load(model, options);
                Llm tiny = Llm.load(model, options.withExpertMemory(ExpertMemory.ofShare(0.001)))) {
            VectorKernels.await();
            long length = Files.size(file);
            List<float[]> expected = new ArrayList<>();
            for (int part = 19; part > 4 && (good.size() < 3 || bad.size() < 2); part--) {
                good.clear();
                bad.clear();
                expected.clear();
                cut(file, length * part / 20);
                for (int id = 2; id < 40; id++) {
                    Member member = new Member(tiny, id);
                    member.append(0, 1);
                    (member.failure == null ? good : bad).add(member);
                    if (member.failure == null) {
                        expected.add(alone(whole, new int[] {id}, 0, 1));
                        member.slot.truncate(0);
                        Arrays.fill(member.logits, 0);
                    }
                }
            }
            assertTrue(good.size() >= 3 && bad.size() >= 2, good.size() + " and " + bad.size());
            List<Member> all = new ArrayList<>(good);
            all.add(1, bad.get(0));
            all.add(bad.get(1));
            tinyTogether(tiny, gathering, all);
            for (int i = 0; i < good.size(); i++) {
                assertNull(good.get(i).failure);
                assertEquals(1, good.get(i).slot.position());
                assertArrayEquals(expected.get(i), good.get(i).logits, "sequence " + i);
            }
            for (Member member : bad) {
                assertInstanceOf(CheckpointException.class, member.failure);
                assertEquals(0, member.slot.position());
            }
        }
    }

    /** As {@link #together}, held back by the step of a sequence that needs no expert which is missing. */
    private static void tinyTogether(Llm llm, Gathering gathering, List<Member> members) throws InterruptedException {
        gathering.steps.clear();
        List<Thread> threads = new ArrayList<>();
        for (Member member : members) {
            threads.add(Thread.ofPlatform().unstarted(() -> member.append(0, 1)));
        }
        gathering.awaited = threads;
        Member first = new Member(llm, members.getFirst().ids);
        Thread starter = Thread.ofPlatform().start(() -> first.append(0, 1));
        while (gathering.steps.isEmpty()) {
            Thread.sleep(1);
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        starter.join();
        assertNull(first.failure);
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(length);
        }
    }

    /** Generations in threads, each with a seed of its own, equal those one after the other. */
    @Test
    void sessionsInThreadsEqualSessionsAlone() throws InterruptedException {
        Gathering gathering = new Gathering();
        try (Llm llm = Llm.bundled(OPTIONS.withListener(gathering))) {
            VectorKernels.await();
            List<List<Integer>> expected = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                expected.add(generated(llm, i));
            }
            gathering.steps.clear();
            List<Thread> threads = new ArrayList<>();
            List<List<Integer>> actual = new ArrayList<>(Collections.nCopies(5, null));
            for (int i = 0; i < 5; i++) {
                int n = i;
                threads.add(Thread.ofPlatform().start(() -> actual.set(n, generated(llm, n))));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(expected, actual);
        }
    }

    private static List<Integer> generated(Llm llm, int n) {
        try (Session session = llm.session()) {
            int[] prompt = new SplittableRandom(n).ints(3 + 40 * n, 2, 1700).toArray();
            GenerationOptions options =
                    GenerationOptions.greedy().withMaxTokens(30).withIgnoreEos(true);
            options = options.withSampling(
                    llm.generationDefaults().sampling().withTemperature(1).withSeed(n));
            return FakeStepRunner.ids(
                    session.generate(prompt, options.withMaxTokens(30).withIgnoreEos(true)));
        }
    }
}
