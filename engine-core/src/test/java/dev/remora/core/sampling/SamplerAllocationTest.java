package dev.remora.core.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SamplerAllocationTest {
    private static final int VOCAB = 129_280;

    static Stream<SamplingParams> params() {
        SamplingParams seeded = SamplingParams.defaults().withSeed(1);
        return Stream.of(
                SamplingParams.greedy(),
                seeded,
                seeded.withTopK(40),
                seeded.withTopP(0.95f),
                seeded.withTopK(40)
                        .withTopP(0.9f)
                        .withMinP(0.05f)
                        .withRepetitionPenalty(1.1f)
                        .withFrequencyPenalty(0.5f)
                        .withPresencePenalty(0.5f)
                        .withLogitBias(Map.of(3, 1f)));
    }

    @ParameterizedTest
    @MethodSource("params")
    void samplingAllocatesNothing(SamplingParams params) {
        float[] logits = new float[VOCAB];
        Random random = new Random(5);
        for (int i = 0; i < VOCAB; i++) {
            logits[i] = (float) random.nextGaussian() * 3;
        }
        Sampler sampler = new Sampler(params, VOCAB);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int sum = 0;
        for (int i = 0; i < 20; i++) {
            sum += sampler.sample(logits);
        }
        long empty = threads.getCurrentThreadAllocatedBytes();
        empty = threads.getCurrentThreadAllocatedBytes() - empty;
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 20; i++) {
            sum += sampler.sample(logits);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(sum >= 0);
        assertEquals(empty, allocated);
    }
}
