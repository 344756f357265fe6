package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.remora.core.sampling.SamplingParams;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** From the batch to the sampled id nothing is allocated. */
class TokenLoopAllocationTest {
    private static final int STEPS = 20;

    @Test
    void aTokenAllocatesNothing() {
        FakeStepRunner runner = new FakeStepRunner(129_280, 8);
        Sequence sequence = new Sequence(runner, new Gate(), 500);
        SamplingParams sampling = SamplingParams.defaults()
                .withTopK(50)
                .withTopP(0.95f)
                .withMinP(0.01f)
                .withRepetitionPenalty(1.1f)
                .withPresencePenalty(0.1f)
                .withSeed(4);
        TokenLoop loop = new TokenLoop(sequence, sampling, new float[runner.vocabSize()], new Cancellation());
        sequence.add(new int[] {1, 2, 3});
        loop.observe();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long sum = steps(loop);
        long probe = threads.getCurrentThreadAllocatedBytes();
        probe = threads.getCurrentThreadAllocatedBytes() - probe;
        long before = threads.getCurrentThreadAllocatedBytes();
        sum += steps(loop);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertEquals(probe, allocated, "bytes for " + STEPS + " tokens");
        assertTrue(sum >= 0);
        assertEquals(3 + 2 * STEPS, sequence.length());
    }

    private static long steps(TokenLoop loop) {
        long sum = 0;
        for (int i = 0; i < STEPS; i++) {
            sum += loop.next();
        }
        return sum;
    }
}
