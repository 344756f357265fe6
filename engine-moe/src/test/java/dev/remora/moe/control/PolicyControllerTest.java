package dev.remora.moe.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.MoeConfig;
import dev.remora.moe.ScoringFunc;
import dev.remora.moe.TopkMethod;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On simulated plants with a clock that moves one second a measurement. */
class PolicyControllerTest {
    private static final long SECOND = 1_000_000_000L;

    static final MoeConfig CONFIG =
            new MoeConfig(64, 8, 64, 0, 6, 1, 1, ScoringFunc.SOFTMAX, TopkMethod.GREEDY, false, 1);

    private long now = Long.MAX_VALUE - 3 * SECOND;
    private int changes;

    private PolicyController controller(String target, String policy) {
        Target parsed = Target.parse(target);
        return new PolicyController(parsed, PolicyLadder.of(RouterPolicy.parse(policy), parsed, CONFIG), () -> now);
    }

    /** @param plant from the level to what is measured */
    private void run(PolicyController controller, int seconds, DoubleUnaryOperator plant) {
        changes = 0;
        for (int i = 0; i < seconds; i++) {
            changes += controller.measured(plant.applyAsDouble(controller.level())) ? 1 : 0;
            now += SECOND;
            assertTrue(controller.level() >= 0 && controller.level() <= 8, "out of range: " + controller.level());
        }
    }

    @Test
    void findsTheLeastDepartureThatMeetsTheTarget() {
        // Each expert that is left out brings 1.45 tokens per second.
        PolicyController controller = controller("tokens-per-second=8", "topk:1");
        run(controller, 9, level -> 4 + 1.45 * level);
        assertEquals(3, controller.level());
        assertEquals(RouterPolicy.parse("topk:3"), controller.policy());
        assertEquals("target: tokens per second 6.9 misses the least of 8; topk is level 3 of 5", controller.reason());
        // 8.35 has nothing to spare: it stays.
        run(controller, 10_000, level -> 4 + 1.45 * level);
        assertEquals(0, changes);
    }

    @Test
    void betweenALevelThatMissesAndOneThatHasToSpareItDoesNotSwing() {
        PolicyController controller = controller("tokens-per-second=8", "topk:1");
        DoubleUnaryOperator plant = level -> level < 3 ? 7 : 12;
        run(controller, 10, plant);
        assertEquals(3, controller.level());
        run(controller, 600, plant);
        // Level 2 is tried after 10, 20, 40, 80, 160 and 320 s, and left again: twice as many changes.
        assertTrue(changes >= 8 && changes <= 12, changes + " changes");
        run(controller, 6_000, plant);
        assertTrue(changes >= 18 && changes <= 22, "every 600 s now: " + changes);
        assertEquals(3, controller.level());
    }

    @Test
    void comesBackWhenTheLoadIsGone() {
        PolicyController controller = controller("hit-rate=0.9", "available:m=12,lambda=0.8");
        run(controller, 100, level -> 0.5 + 0.01 * level);
        assertEquals(8, controller.level(), "as far as the policy goes, and no further");
        assertEquals(RouterPolicy.parse("available:m=12,lambda=0.8"), controller.policy());
        assertEquals(8, changes);
        run(controller, 2_000, level -> 0.99);
        assertEquals(0, controller.level());
        assertEquals(RouterPolicy.parse("available:m=12,lambda=0"), controller.policy());
        assertEquals(8, changes);
    }

    @Test
    void noiseWithinTheToleranceMovesNothing() {
        PolicyController controller = controller("bytes-per-token=1M,tolerance=0.1", "mass:0.5");
        Random random = new Random(5);
        run(controller, 100, level -> (1 << 20) * (1.35 - 0.05 * level + 0.03 * random.nextDouble()));
        assertEquals(6, controller.level());
        run(controller, 1_000, level -> (1 << 20) * (1.35 - 0.05 * level + 0.03 * random.nextDouble()));
        assertEquals(0, changes);
    }

    @Test
    void aMeasurementThatSawNothingCountsForNothing() {
        PolicyController controller = controller("hit-rate=0.9", "topk:2");
        assertFalse(controller.measured(Double.NaN));
        assertTrue(controller.measured(0.1));
        assertFalse(controller.measured(0.1), "the first after a change still shows what was before");
        assertTrue(controller.measured(0.1));
    }

    @Test
    void theGuardLowersTheCeilingForAWhile() {
        PolicyController controller = controller("tokens-per-second=8", "topk:1");
        run(controller, 10, level -> 1);
        assertEquals(5, controller.level());
        controller.tooFar();
        assertEquals(4, controller.level());
        run(controller, 20, level -> 1);
        assertEquals(4, controller.level());
        run(controller, 10, level -> 1);
        assertEquals(5, controller.level());
        controller.tooFar();
        run(controller, 38, level -> 1);
        assertEquals(4, controller.level(), "twice as long");
    }

    @Test
    void capacityGoesFromNoLimitToThePolicys() {
        Target target = Target.parse("tokens-per-second=100");
        PolicyLadder ladder = PolicyLadder.of(RouterPolicy.parse("capacity:1"), target, CONFIG);
        assertEquals(Target.Knob.CAPACITY, ladder.knob());
        assertEquals(9, ladder.size());
        assertEquals(64.0 / 6, ladder.level(0).capacity().orElseThrow().factor(), 1e-12);
        assertEquals(1, ladder.level(8).capacity().orElseThrow().factor());
        for (int i = 1; i < 9; i++) {
            assertTrue(ladder.level(i).capacity().orElseThrow().factor()
                    < ladder.level(i - 1).capacity().orElseThrow().factor());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "tokens-per-second=8, topk:2+available:m=12, TOPK",
        "hit-rate=0.9, topk:2+available:m=12, LAMBDA",
        "bytes-per-token=1G, mass:0.9+capacity:1, MASS",
        "'hit-rate=0.9,adjust=topk', topk:2+available:m=12, TOPK",
    })
    void turnsWhatFits(String target, String policy, Target.Knob expected) {
        assertEquals(
                expected,
                PolicyLadder.of(RouterPolicy.parse(policy), Target.parse(target), CONFIG)
                        .knob());
    }

    @ParameterizedTest
    @CsvSource({
        "tokens-per-second=8, exact, true, 'target: expected a policy'",
        "tokens-per-second=8, noise:0.1, true, 'target: expected a policy with topk'",
        "tokens-per-second=8, topk:6, true, 'target: expected a policy that departs'",
        "hit-rate=0.9, topk:2, false, 'target: expected a limited memory'",
        "'hit-rate=0.9,adjust=mass', topk:2, true, 'target: adjust: expected a part of the policy topk:2, found mass'",
    })
    void uselessTargetsAreRefused(String target, String policy, boolean fromFiles, String message) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> PolicyLoop.require(
                        RouterPolicy.parse(policy),
                        Optional.of(CONFIG),
                        Optional.of(Target.parse(target)),
                        Optional.empty(),
                        fromFiles));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }
}
