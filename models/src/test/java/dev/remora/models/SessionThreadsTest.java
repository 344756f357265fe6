package dev.remora.models;

import static dev.remora.models.Fakes.events;
import static dev.remora.models.Fakes.finished;
import static dev.remora.models.Fakes.greedy;
import static dev.remora.models.Fakes.list;
import static dev.remora.models.Fakes.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many threads: sessions side by side, cancelling, closing. */
@Timeout(60)
class SessionThreadsTest {
    private static final int[] PROMPT = IntStream.range(5, 42).toArray();

    private final FakeStepRunner runner = new FakeStepRunner(Fakes.VOCAB, 8);
    private final AtomicInteger released = new AtomicInteger();
    private final Llm llm = Fakes.llm(runner, Fakes.TINY, released);
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() throws InterruptedException {
        threads.shutdownNow();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
    }

    /** The next step waits in the engine until released or cancelled. */
    private void block() {
        runner.release = new CountDownLatch(1);
        runner.entered = new CountDownLatch(1);
    }

    private void unblock() {
        runner.entered = null;
        runner.release.countDown();
    }

    @Test
    void eightSessionsAtOnceEqualOneAfterAnother() throws Exception {
        GenerationOptions options =
                tokens(60).withSampling(llm.generationDefaults().sampling());
        List<Future<List<Integer>>> together = new ArrayList<>();
        CountDownLatch start = new CountDownLatch(1);
        for (int i = 0; i < 8; i++) {
            int n = i;
            together.add(threads.submit(() -> {
                start.await();
                return generated(n, options);
            }));
        }
        start.countDown();
        for (int i = 0; i < 8; i++) {
            assertEquals(generated(i, options), together.get(i).get(), "session " + i);
        }
        assertEquals(0, runner.openSlots.get());
    }

    private List<Integer> generated(int n, GenerationOptions options) {
        try (Session session = llm.session()) {
            GenerationOptions seeded = options.withSampling(options.sampling().withSeed(n));
            List<Integer> ids = new ArrayList<>(FakeStepRunner.ids(session.generate("Tale " + n, seeded)));
            ids.addAll(FakeStepRunner.ids(session.generate(" and", seeded)));
            return ids;
        }
    }

    @Test
    void cancelFromAnotherThreadInThePrompt() throws Exception {
        Session session = llm.session();
        session.generate(PROMPT, tokens(3)).text();
        assertEquals(40, session.position());
        block();
        Future<List<GenerationEvent>> work =
                threads.submit(() -> events(session.generate(new int[] {4, 5, 6}, tokens(50))));
        runner.entered.await();
        session.cancel();
        GenerationEvent.Finished end = finished(work.get());
        assertEquals(FinishReason.CANCELLED, end.reason());
        assertEquals(0, end.usage().generatedTokens());
        assertEquals(40, session.position(), "as if the prompt had not been given");
        unblock();
        assertEquals(
                greedy(runner, list(session.tokens()), 4), FakeStepRunner.ids(session.generate(new int[0], tokens(4))));
    }

    @Test
    void cancelFromAnotherThreadInTheAnswer() throws Exception {
        Session session = Fakes.withoutText(runner).session();
        Generation generation = session.generate(PROMPT, tokens(50));
        Iterator<GenerationEvent> events = generation.iterator();
        events.next();
        events.next();
        block();
        Future<GenerationEvent> next = threads.submit(events::next);
        runner.entered.await();
        generation.cancel();
        assertEquals(
                FinishReason.CANCELLED,
                assertInstanceOf(GenerationEvent.Finished.class, next.get()).reason());
        assertFalse(events.hasNext());
        assertEquals(39, session.position());
        unblock();
        session.cancel();
        generation.cancel();
        assertEquals(
                greedy(runner, list(PROMPT), 6).subList(2, 6),
                FakeStepRunner.ids(session.generate(new int[0], tokens(4))),
                "a late cancel does no harm");
    }

    @Test
    void cancelBetweenSteps() {
        Session session = Fakes.withoutText(runner).session();
        Generation generation = session.generate(PROMPT, tokens(50));
        Iterator<GenerationEvent> events = generation.iterator();
        events.next();
        session.cancel();
        assertEquals(
                FinishReason.CANCELLED,
                assertInstanceOf(GenerationEvent.Finished.class, events.next()).reason());
        Generation early = session.generate(new int[] {3}, tokens(5));
        early.cancel();
        assertEquals(FinishReason.CANCELLED, finished(events(early)).reason());
        assertEquals(38, session.position());
    }

    @Test
    void anInterruptCancelsAndIsKept() throws Exception {
        Session session = llm.session();
        block();
        CountDownLatch done = new CountDownLatch(1);
        List<Object> seen = new ArrayList<>();
        Thread thread = new Thread(() -> {
            seen.add(finished(events(session.generate(PROMPT, tokens(5)))).reason());
            seen.add(Thread.currentThread().isInterrupted());
            seen.add(finished(events(session.generate(PROMPT, tokens(5)))).reason());
            done.countDown();
        });
        thread.start();
        runner.entered.await();
        thread.interrupt();
        done.await();
        assertEquals(List.of(FinishReason.CANCELLED, true, FinishReason.CANCELLED), seen);
        unblock();
        assertEquals(0, session.position());
        assertEquals(greedy(runner, list(PROMPT), 2), FakeStepRunner.ids(session.generate(PROMPT, tokens(2))));
    }

    @Test
    void twoThreadsOnOneSessionIsAnError() throws Exception {
        Session session = llm.session();
        block();
        Future<String> work =
                threads.submit(() -> session.generate(PROMPT, tokens(2)).text());
        runner.entered.await();
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> session.generate(PROMPT, tokens(2)));
        assertEquals(
                "the session is in use by another thread: it serves one at a time. Open a session for each thread",
                e.getMessage());
        assertThrows(IllegalStateException.class, session::tokens);
        assertThrows(IllegalStateException.class, () -> session.truncate(0));
        assertTrue(session.position() >= 0);
        unblock();
        work.get();
        assertEquals(39, session.position(), "the first thread's work is unharmed");
    }

    @Test
    void closingASessionEndsItsWork() throws Exception {
        Session session = llm.session();
        block();
        Future<List<GenerationEvent>> work = threads.submit(() -> events(session.generate(PROMPT, tokens(2))));
        runner.entered.await();
        session.close();
        session.close();
        assertEquals(FinishReason.CANCELLED, finished(work.get()).reason());
        assertEquals(0, runner.openSlots.get());
        unblock();
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> session.generate(PROMPT, tokens(2)));
        assertEquals("the session is closed: open another one", e.getMessage());
        assertThrows(IllegalStateException.class, () -> session.score(PROMPT));
        assertThrows(IllegalStateException.class, session::tokens);
        session.cancel();
        Session other = llm.session();
        Generation generation = other.generate(PROMPT, tokens(2));
        other.close();
        assertThrows(IllegalStateException.class, generation::text);
        generation.close();
    }

    @Test
    void closingTheModelWaitsForTheStepAndFailsTheRest() throws Exception {
        Session session = llm.session();
        Session idle = llm.session();
        Iterator<GenerationEvent> waiting = idle.generate(PROMPT, tokens(5)).iterator();
        waiting.next();
        block();
        Future<String> work =
                threads.submit(() -> session.generate(PROMPT, tokens(2)).text());
        runner.entered.await();
        Future<?> closing = threads.submit(llm::close);
        assertThrows(TimeoutException.class, () -> closing.get(50, TimeUnit.MILLISECONDS));
        assertEquals(0, released.get());
        unblock();
        closing.get();
        ExecutionException e = assertThrows(ExecutionException.class, work::get);
        assertInstanceOf(IllegalStateException.class, e.getCause());
        assertEquals(
                "the model is closed, and its sessions with it", e.getCause().getMessage());
        assertEquals(1, runner.steps.get() - 5, "no step after the one that ran");
        assertThrows(IllegalStateException.class, waiting::hasNext);
        assertThrows(IllegalStateException.class, llm::session);
        assertThrows(IllegalStateException.class, () -> idle.truncate(0));
        assertEquals(0, runner.openSlots.get());
        assertEquals(1, released.get());
        llm.close();
        session.close();
        idle.close();
        idle.cancel();
        assertEquals(1, released.get());
    }

    @Test
    void scoringCanBeCancelled() throws Exception {
        Session session = llm.session();
        session.generate(PROMPT, tokens(2)).text();
        block();
        Future<Score> work = threads.submit(() -> session.score(PROMPT));
        runner.entered.await();
        session.cancel();
        ExecutionException e = assertThrows(ExecutionException.class, work::get);
        assertInstanceOf(CancellationException.class, e.getCause());
        assertEquals(39, session.position());
        unblock();
        assertEquals(
                greedy(runner, list(PROMPT), 4).subList(2, 4),
                FakeStepRunner.ids(session.generate(new int[0], tokens(2))));
    }

    @Test
    void closingManySessionsWhileTheyRun() throws Exception {
        List<Future<?>> work = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            work.add(threads.submit(() -> {
                while (true) {
                    try (Session session = llm.session()) {
                        session.generate("Tale", tokens(20)).text();
                    }
                }
            }));
        }
        while (runner.steps.get() < 200) {
            Thread.sleep(1);
        }
        llm.close();
        for (Future<?> one : work) {
            ExecutionException e = assertThrows(ExecutionException.class, one::get);
            assertInstanceOf(IllegalStateException.class, e.getCause(), () -> "" + e.getCause());
        }
        assertEquals(0, runner.openSlots.get());
        assertEquals(1, released.get());
    }
}
