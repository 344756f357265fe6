package dev.remora.moe.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PolicyLoopTest {
    private static final RouterPolicy TWO = RouterPolicy.parse("topk:2");

    private long now;

    private PolicyLoop loop(String policy, String target, String guard) {
        return new PolicyLoop(
                RouterPolicy.parse(policy),
                Optional.of(PolicyControllerTest.CONFIG),
                Optional.ofNullable(target).map(Target::parse),
                Optional.ofNullable(guard).map(Guard::parse),
                () -> now);
    }

    private static void steps(PolicyLoop loop, int count, double tokensPerSecond) {
        for (int i = 0; i < count; i++) {
            loop.measured(false, 1, (long) (1e9 / tokensPerSecond), 0, 0, 0);
        }
    }

    @Test
    void withoutTargetAndGuardItIsWhatWasAskedFor() {
        PolicyLoop loop = loop("topk:2", null, null);
        assertEquals(TWO, loop.next());
        assertFalse(loop.sampleThisStep());
        loop.ask(RouterPolicy.EXACT);
        assertEquals(RouterPolicy.EXACT, loop.asked());
        assertEquals(RouterPolicy.EXACT, loop.next());
        assertEquals("asked for", loop.reason());
    }

    @Test
    void aTargetBeginsWithTheLeastDeparture() {
        PolicyLoop loop = loop("topk:2", "tokens-per-second=8,every=4", null);
        assertEquals(RouterPolicy.parse("topk:6"), loop.next());
        steps(loop, 3, 5);
        loop.measured(true, 500, 1, 0, 0, 0);
        assertEquals(RouterPolicy.parse("topk:6"), loop.next(), "prompts do not count");
        steps(loop, 1, 5);
        assertEquals(RouterPolicy.parse("topk:5"), loop.next());
        assertTrue(loop.reason().startsWith("target: tokens per second 5 misses"), loop.reason());
        assertEquals(TWO, loop.asked());
    }

    @Test
    void capacityIsMeasuredOnPrompts() {
        PolicyLoop loop = loop("capacity:1", "tokens-per-second=800,every=2", null);
        RouterPolicy first = loop.next();
        steps(loop, 10, 5);
        assertEquals(first, loop.next());
        loop.measured(true, 500, 1_000_000_000, 0, 0, 0);
        loop.measured(true, 500, 1_000_000_000, 0, 0, 0);
        assertTrue(loop.next().capacity().orElseThrow().factor()
                < first.capacity().orElseThrow().factor());
    }

    @Test
    void theGuardSamplesAndTrips() {
        PolicyLoop loop = loop("topk:2", null, "kl=0.1,top1=0.5,every=3,window=4");
        int sampled = 0;
        for (int i = 0; i < 9; i++) {
            sampled += loop.sampleThisStep() ? 1 : 0;
        }
        assertEquals(3, sampled);
        assertTrue(loop.sample(5, false));
        assertTrue(loop.tripped());
        assertEquals(RouterPolicy.EXACT, loop.next());
        assertEquals(TWO, loop.trial());
        assertTrue(loop.reason().startsWith("guard: mean KL"), loop.reason());
        for (int i = 0; i < 3; i++) {
            assertFalse(loop.sample(0, true));
        }
        assertTrue(loop.sample(0, true));
        assertEquals(TWO, loop.next());
    }

    @Test
    void aPolicyForPromptsIsNotSampled() {
        PolicyLoop loop = loop("topk:2", null, "every=1");
        loop.sample(100, false);
        loop.ask(RouterPolicy.parse("capacity:1"));
        assertEquals(RouterPolicy.parse("capacity:1"), loop.next());
        assertFalse(loop.sampleThisStep());
        loop.ask(TWO);
        assertEquals(TWO, loop.next(), "trusted anew");
        assertTrue(loop.sampleThisStep());
    }

    @Test
    void theGuardHoldsTheControllerBack() {
        PolicyLoop loop = loop("topk:1", "tokens-per-second=8,every=1", "window=4,every=1");
        steps(loop, 9, 5);
        assertEquals(RouterPolicy.parse("topk:1"), loop.next());
        loop.sample(9, false);
        assertEquals(RouterPolicy.EXACT, loop.next());
        assertEquals(TWO, loop.trial(), "a milder one is tried in the shadow");
        steps(loop, 50, 5);
        assertEquals(TWO, loop.trial(), "exact steps say nothing about it");
        for (int i = 0; i < 4; i++) {
            loop.sample(0, true);
        }
        steps(loop, 50, 5);
        assertEquals(TWO, loop.next(), "no higher for a while");
        now += 21_000_000_000L;
        steps(loop, 2, 5);
        assertEquals(RouterPolicy.parse("topk:1"), loop.next());
    }

    @Test
    void aGuardNeedsSomethingToWatch() {
        for (String policy : new String[] {"exact", "capacity:1"}) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> PolicyLoop.require(
                            RouterPolicy.parse(policy),
                            Optional.of(PolicyControllerTest.CONFIG),
                            Optional.empty(),
                            Optional.of(Guard.DEFAULT),
                            true));
            assertEquals(
                    "guard: expected a policy for decoded tokens, which it would watch, found "
                            + RouterPolicy.parse(policy) + "; give one, for example topk:2, or leave the guard out",
                    e.getMessage());
        }
    }
}
