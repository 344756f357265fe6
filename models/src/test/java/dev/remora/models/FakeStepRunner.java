package dev.remora.models;

import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/** Logits from a hash of all ids so far: deterministic, different for every history, and costing nothing. */
final class FakeStepRunner implements StepRunner {
    private final int vocabSize;
    private final int maxRows;
    private final ReentrantLock engine = new ReentrantLock();
    final AtomicInteger steps = new AtomicInteger();
    final AtomicInteger rows = new AtomicInteger();
    final AtomicInteger openSlots = new AtomicInteger();
    /** What follows position p is {@code script.get(p - scriptFrom)}, where there is such an element. */
    volatile List<Integer> script = List.of();

    volatile int scriptFrom;
    /** This step fails, counted from 1. */
    volatile int failingStep;
    /** This step gives NaN. */
    volatile int brokenStep;
    /** If not null, a step counts the first down and waits for the second, or for cancel. */
    volatile CountDownLatch entered;

    volatile CountDownLatch release;

    FakeStepRunner(int vocabSize, int maxRows) {
        this.vocabSize = vocabSize;
        this.maxRows = maxRows;
    }

    void script(int from, Integer... ids) {
        scriptFrom = from;
        script = List.of(ids);
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public RouterPolicy policy() {
        return RouterPolicy.EXACT;
    }

    @Override
    public void policy(RouterPolicy policy) {
        throw new IllegalArgumentException("policy: there are no experts");
    }

    @Override
    public int maxRowsPerStep() {
        return maxRows;
    }

    @Override
    public Slot open(int contextLength) {
        openSlots.incrementAndGet();
        return new FakeSlot(contextLength);
    }

    /** The logits after a history: the specification that tests compare with. */
    float[] logits(List<Integer> history) {
        float[] out = new float[vocabSize];
        logits(history.stream().mapToInt(i -> i).toArray(), history.size(), out, 0);
        return out;
    }

    private void logits(int[] ids, int count, float[] out, int offset) {
        long state = 0x1234567;
        for (int i = 0; i < count; i++) {
            state = mix(state * 31 + ids[i] + 1);
        }
        for (int v = 0; v < vocabSize; v++) {
            state = mix(state + 0x9E3779B97F4A7C15L);
            out[offset + v] = (state >> 40) * 0x1p-20f;
        }
        int next = count - scriptFrom;
        if (next >= 0 && next < script.size()) {
            out[offset + script.get(next)] = 50;
        }
    }

    private static long mix(long z) {
        long y = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        return y ^ (y >>> 27);
    }

    private final class FakeSlot implements Slot {
        private final int[] ids;
        private volatile int position;
        private volatile boolean running;
        private volatile boolean cancelled;
        private volatile boolean closed;

        FakeSlot(int contextLength) {
            ids = new int[contextLength];
        }

        @Override
        public int position() {
            return position;
        }

        @Override
        public int contextLength() {
            return ids.length;
        }

        @Override
        public void append(int[] more, int from, int count, int logitRows, float[] logits) {
            require(!closed, "append after close");
            require(count > 0 && count <= maxRows, "one row to maxRowsPerStep");
            require(position + count <= ids.length, "beyond the context");
            require(logitRows == 0 || logits.length >= logitRows * vocabSize, "room for logits");
            engine.lock();
            try {
                cancelled = false;
                running = true;
                int step = steps.incrementAndGet();
                await();
                if (cancelled || Thread.currentThread().isInterrupted()) {
                    throw new CancellationException("cancelled");
                }
                if (step == failingStep) {
                    throw new IllegalArgumentException("step " + step + " fails");
                }
                rows.addAndGet(count);
                System.arraycopy(more, from, ids, position, count);
                int end = position + count;
                for (int row = 0; row < logitRows; row++) {
                    FakeStepRunner.this.logits(ids, end - logitRows + row + 1, logits, row * vocabSize);
                }
                if (step == brokenStep && logitRows > 0) {
                    logits[vocabSize / 2] = Float.NaN;
                }
                position = end;
            } finally {
                running = false;
                engine.unlock();
            }
        }

        private void await() {
            if (entered == null) {
                return;
            }
            entered.countDown();
            try {
                while (!cancelled && !release.await(1, TimeUnit.MILLISECONDS)) {
                    Thread.onSpinWait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void truncate(int newPosition) {
            require(!closed, "truncate after close");
            require(!running, "truncate during append");
            require(newPosition >= 0 && newPosition <= position, "truncate to " + newPosition);
            position = newPosition;
            Arrays.fill(ids, newPosition, ids.length, -1);
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public void close() {
            require(!closed, "close twice");
            require(!running, "close during append");
            closed = true;
            openSlots.decrementAndGet();
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** Ids of {@code Token} events. */
    static List<Integer> ids(Iterable<GenerationEvent> events) {
        List<Integer> ids = new ArrayList<>();
        for (GenerationEvent event : events) {
            if (event instanceof GenerationEvent.Token token) {
                ids.add(token.id());
            }
        }
        return ids;
    }
}
