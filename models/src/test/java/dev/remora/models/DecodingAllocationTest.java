package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.core.sampling.Sampler;
import dev.remora.core.sampling.SamplingParams;
import dev.remora.moe.ExpertMemory;
import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From the batch to the sampled id nothing is allocated, on none of the threads. */
class DecodingAllocationTest {
    private static final int STEPS = 100;
    private static final int MAX_ROUNDS = 60;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource(CacheFormat.class)
    void decodingAllocatesNothing(CacheFormat format) {
        assertNothing(LoadOptions.defaults().withCacheFormat(format));
    }

    @Test
    void roundingActivationsAllocatesNothing() {
        assertNothing(LoadOptions.defaults().withActivations(Activations.FP8));
    }

    @Test
    void policiesAllocateNothing() {
        RouterPolicy policy = RouterPolicy.parse(
                "mass:0.8,renormalize+capacity:1+noise:0.1,seed=3+available:m=8,lambda=1+fallback:deadline=0ms");
        assertNothing(LoadOptions.defaults().withPolicy(policy));
    }

    @Test
    void listeningAllocatesNothing() {
        AtomicLong tokens = new AtomicLong();
        assertNothing(LoadOptions.defaults().withListener(new EngineListener() {
            @Override
            public void token(int position, long nanos) {
                tokens.getAndIncrement();
            }
        }));
        assertTrue(tokens.get() >= 2 * STEPS, "heard " + tokens);
    }

    /** Every third step runs both ways; the guard never trips, or always has, and the controller has nothing left to turn. */
    @ParameterizedTest
    @ValueSource(strings = {"kl=1000,top1=0,every=3", "kl=0.0001,top1=1,every=3"})
    void guardingAndAdaptingAllocateNothing(String guard) {
        assertNothing(LoadOptions.defaults()
                .withPolicy(RouterPolicy.parse("topk:2+noise:1"))
                .withTarget(Target.parse("tokens-per-second=1e9"))
                .withGuard(Guard.parse(guard)));
    }

    /** Slots for all experts: after a while, every one of them is there. */
    @Test
    void expertsInSlotsAllocateNothing() {
        assertNothing(LoadOptions.defaults().withExpertMemory(ExpertMemory.ofShare(1)));
    }

    private static void assertNothing(LoadOptions how) {
        LoadOptions options = how.withThreads(2).withContextLength(512);
        try (Llm llm = Llm.bundled(options);
                StepRunner.Slot slot = llm.runner().open(512)) {
            VectorKernels.await();
            Sampler sampler = new Sampler(
                    SamplingParams.defaults().withSeed(5), llm.runner().vocabSize());
            long[] threads = threads();
            assertEquals(3, threads.length, "this thread, the engine's and one worker");
            long[] before = new long[threads.length];
            long[] after = new long[threads.length];
            int[] ids = new int[1];
            float[] logits = new float[llm.runner().vocabSize()];
            long allocated = Long.MAX_VALUE;
            // Patient, because the compiler, which removes the allocations of vectors, shares the machine.
            for (int round = 0; round < MAX_ROUNDS && allocated > 0; round++) {
                slot.truncate(0);
                decode(slot, sampler, ids, logits, STEPS);
                read(threads, before);
                decode(slot, sampler, ids, logits, STEPS);
                read(threads, after);
                allocated = 0;
                for (int i = 0; i < threads.length; i++) {
                    allocated += after[i] - before[i];
                }
            }
            assertEquals(0, allocated, "bytes of " + STEPS + " tokens");
        }
    }

    private static void decode(StepRunner.Slot slot, Sampler sampler, int[] ids, float[] logits, int steps) {
        for (int i = 0; i < steps; i++) {
            slot.append(ids, 0, 1, 1, logits);
            ids[0] = sampler.sample(logits);
        }
    }

    private static void read(long[] threads, long[] bytes) {
        for (int i = 0; i < threads.length; i++) {
            bytes[i] = THREADS.getThreadAllocatedBytes(threads[i]);
        }
    }

    /** This thread and those of the engine. */
    private static long[] threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.equals(Thread.currentThread()) || t.getName().matches("remora-(engine|worker-.*)"))
                .mapToLong(Thread::threadId)
                .toArray();
    }
}
