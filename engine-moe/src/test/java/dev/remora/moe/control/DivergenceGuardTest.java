package dev.remora.moe.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.policy.Guard;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DivergenceGuardTest {
    private static final Guard BOUNDS = Guard.parse("kl=0.1,top1=0.75,every=1,window=8");

    private final DivergenceGuard guard = new DivergenceGuard(BOUNDS);

    /** Samples until the guard changes its mind, or {@code most}. */
    private int samples(double kl, boolean same, int most) {
        for (int i = 1; i <= most; i++) {
            if (guard.sample(kl, same)) {
                return i;
            }
        }
        return most + 1;
    }

    @Test
    void goodSamplesNeverTrip() {
        assertEquals(10_001, samples(0.1, true, 10_000));
        assertFalse(guard.tripped());
    }

    @Test
    void tripsAsSoonAsNoFurtherSampleCouldSaveTheWindow() {
        // 0.3 + 0.3 + 0.3 of at most 0.8.
        assertEquals(3, samples(0.3, true, 10));
        assertTrue(guard.tripped());
        assertEquals(
                "guard: mean KL 0.1125 and 0 of 3 other top tokens in the window of 8, beyond kl=0.1,top1=0.75;"
                        + " exact for at least 8 samples",
                guard.reason());
    }

    @Test
    void tripsByTopTokens() {
        assertFalse(guard.sample(0, false));
        assertFalse(guard.sample(0, false));
        assertEquals(1, samples(0, false, 1), "3 of 8 are more than a quarter");
    }

    @Test
    void samplesLeaveTheWindow() {
        for (int i = 0; i < 100; i++) {
            assertFalse(guard.sample(0.75, i % 2 == 0), "sample " + i);
            assertEquals(8, samples(0, true, 7));
        }
    }

    @Test
    void whatIsNotANumberTripsAndIsForgotten() {
        assertTrue(guard.sample(Double.NaN, true));
        assertEquals(8, samples(0, true, 100));
        assertTrue(guard.sample(Double.POSITIVE_INFINITY, true));
        assertEquals(16, samples(0, true, 100));
        assertFalse(guard.tripped());
    }

    @Test
    void returnsWithinHalfOfTheBoundsOnly() {
        samples(1, false, 1);
        assertEquals(1_001, samples(0.051, true, 1_000), "beyond half of the bound");
        assertEquals(1, samples(0, true, 100), "a better one brings the mean below half");
        assertTrue(guard.reason().contains("within half of the bounds after 1001 samples"), guard.reason());
    }

    @Test
    void eachFailureDoublesTheTrial() {
        for (int expected : new int[] {8, 16, 32, 64, 128, 128, 128}) {
            assertEquals(1, samples(1, false, 1));
            assertEquals(expected, samples(0, true, 1_000));
        }
        // Serving well for four times 128, then 64, ... samples.
        assertEquals(2_001, samples(0, true, 2_000));
        assertEquals(1, samples(1, false, 1));
        assertEquals(8, samples(0, true, 1_000));
    }

    @Test
    void aPolicyAtTheEdgeChangesSidesEverMoreSeldom() {
        Random random = new Random(3);
        int[] changes = new int[4];
        for (int i = 0; i < 4_000; i++) {
            boolean good = i % 40 < 30;
            boolean changed = guard.sample(good ? 0.02 * random.nextDouble() : 0.4, good);
            changes[i / 1_000] += changed ? 1 : 0;
        }
        // Without patience there would be 50 changes in 1000 samples.
        assertTrue(changes[0] > 0 && changes[0] <= 20, "at first " + changes[0]);
        assertTrue(changes[3] < changes[0] && changes[3] <= 14, changes[3] + " after " + changes[0]);
    }

    @Test
    void aNewPolicyIsTrusted() {
        samples(1, false, 1);
        guard.reset();
        assertFalse(guard.tripped());
        assertEquals(1, samples(1, false, 1));
        assertEquals(8, samples(0, true, 1_000));
    }
}
