package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class ThreadTeamTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void everyChunkRunsOnce(int threads) {
        try (ThreadTeam team = new ThreadTeam(threads, 1)) {
            assertEquals(threads, team.size());
            for (int count : new int[] {0, 1, 2, 3, 4, 5, 100, 10_000}) {
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                team.run((chunk, scratch) -> runs.incrementAndGet(chunk), count);
                for (int chunk = 0; chunk < count; chunk++) {
                    assertEquals(1, runs.get(chunk), "chunk " + chunk + " of " + count);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void manyTinyRunsLoseNothing(int threads) {
        try (ThreadTeam team = new ThreadTeam(threads, 1)) {
            // Plain writes: a run that returned too early would show here as a lost one.
            int[] cells = new int[3];
            int wrong = 0;
            ParallelTask task = (chunk, scratch) -> cells[chunk]++;
            for (int run = 1; run <= 100_000; run++) {
                team.run(task, 3);
                if (cells[0] != run || cells[1] != run || cells[2] != run) {
                    wrong++;
                }
            }
            assertEquals(0, wrong);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void workersThatParkedWakeUp(int threads) throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(threads, 1)) {
            for (int run = 0; run < 20; run++) {
                Thread.sleep(2);
                // Each chunk waits for all others: only a team that is awake as a whole can finish.
                CountDownLatch together = new CountDownLatch(threads);
                AtomicInteger late = new AtomicInteger();
                team.run(
                        (chunk, scratch) -> {
                            together.countDown();
                            if (!await(together)) {
                                late.incrementAndGet();
                            }
                        },
                        threads);
                assertEquals(0, late.get());
            }
        }
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void eachThreadHasAScratchOfItsOwn(int threads) {
        try (ThreadTeam team = new ThreadTeam(threads, 7)) {
            ConcurrentHashMap<Thread, Scratch> scratches = new ConcurrentHashMap<>();
            Set<Integer> shared = ConcurrentHashMap.newKeySet();
            team.run(
                    (chunk, scratch) -> {
                        Scratch before = scratches.putIfAbsent(Thread.currentThread(), scratch);
                        if (before != null && !before.equals(scratch)) {
                            shared.add(scratch.worker());
                        }
                    },
                    10_000);
            assertEquals(Set.of(), shared);
            assertEquals(scratches.size(), Set.copyOf(scratches.values()).size());
            for (Scratch scratch : scratches.values()) {
                assertTrue(scratch.worker() >= 0 && scratch.worker() < threads);
                assertEquals(7, scratch.edge().capacity());
            }
            assertEquals(0, team.ownerScratch().worker());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void failuresReachTheCallerAndTheTeamGoesOn(int threads) {
        try (ThreadTeam team = new ThreadTeam(threads, 1)) {
            for (Throwable failure : List.of(new IllegalStateException("chunk 3"), new AssertionError("chunk 3"))) {
                for (int round = 0; round < 100; round++) {
                    AtomicInteger ran = new AtomicInteger();
                    Throwable thrown = assertThrows(
                            failure.getClass(),
                            () -> team.run(
                                    (chunk, scratch) -> {
                                        ran.incrementAndGet();
                                        if (chunk == 3) {
                                            fail(failure);
                                        }
                                    },
                                    16));
                    assertSame(failure, thrown);
                    assertEquals(16, ran.get());
                    AtomicInteger after = new AtomicInteger();
                    team.run((chunk, scratch) -> after.incrementAndGet(), 16);
                    assertEquals(16, after.get());
                }
            }
        }
    }

    private static void fail(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }

    @Test
    void runsForOneOwnerAfterAnother() throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(3, 1)) {
            AtomicLong sum = new AtomicLong();
            for (int owner = 0; owner < 20; owner++) {
                Thread thread = Thread.ofPlatform().start(() -> team.run((chunk, s) -> sum.addAndGet(chunk), 100));
                thread.join();
            }
            assertEquals(20 * 4950, sum.get());
        }
    }

    @Test
    void anInterruptedOwnerStillWaitsAndStaysInterrupted() {
        try (ThreadTeam team = new ThreadTeam(2, 1)) {
            Thread.currentThread().interrupt();
            AtomicInteger ran = new AtomicInteger();
            team.run((chunk, scratch) -> ran.incrementAndGet(), 1000);
            boolean interrupted = Thread.interrupted();
            assertEquals(1000, ran.get());
            assertTrue(interrupted);
        }
    }

    @Test
    void closeEndsTheWorkersAndMayBeRepeated() throws InterruptedException {
        ThreadTeam team = new ThreadTeam(4, 1);
        Set<Thread> workers = ConcurrentHashMap.newKeySet();
        CountDownLatch together = new CountDownLatch(4);
        team.run(
                (chunk, scratch) -> {
                    workers.add(Thread.currentThread());
                    together.countDown();
                    await(together);
                },
                4);
        workers.remove(Thread.currentThread());
        assertEquals(3, workers.size());
        team.close();
        team.close();
        for (Thread worker : workers) {
            assertFalse(worker.isAlive(), worker.getName());
            assertTrue(worker.isDaemon());
        }
    }

    @Test
    void aTeamHasAThread() {
        assertThrows(IllegalArgumentException.class, () -> new ThreadTeam(0, 1));
    }

    @Test
    void runsAllocateNothing() {
        int[] cells = new int[64];
        ParallelTask task = (chunk, scratch) -> cells[chunk]++;
        for (int threads : new int[] {1, 2}) {
            try (ThreadTeam team = new ThreadTeam(threads, 1)) {
                Allocation.assertNone(threads + " threads", () -> team.run(task, cells.length));
            }
        }
    }
}
