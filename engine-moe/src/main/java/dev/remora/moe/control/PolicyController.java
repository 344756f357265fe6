package dev.remora.moe.control;

import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Walks up and down a {@link PolicyLadder} towards a target, one level at a time.
 *
 * <p>Where the target is missed by more than the tolerance, it goes up, away from the exact router. Where it is met with
 * the tolerance to spare, it goes down, unless that level is known to miss it: a level that missed it is tried again after
 * 10 seconds at the earliest, and after twice as long each time it misses again, up to 10 minutes, until it has met the
 * target for that long. The first measurement
 * after a change is not used, because it still shows what was before. So there is no steady swinging between two levels of
 * which one is too slow and the other too fast; the faster one stays.
 */
public final class PolicyController {
    static final long FIRST_PAUSE = 10_000_000_000L;
    static final long LONGEST_PAUSE = 60 * FIRST_PAUSE;

    private final Target target;
    private final PolicyLadder ladder;
    private final LongSupplier clock;
    private final long[] missedAt;
    private final long[] pause;
    private int level;
    private long enteredAt;
    private int ceiling;
    private long ceilingAt;
    private long ceilingPause = FIRST_PAUSE;
    private boolean settling;
    private String reason = "";

    /**
     * At the level that departs least.
     *
     * @param clock nanoseconds from any beginning
     */
    public PolicyController(Target target, PolicyLadder ladder, LongSupplier clock) {
        this.target = target;
        this.ladder = ladder;
        this.clock = clock;
        missedAt = new long[ladder.size()];
        // 0: the level has not missed the target yet.
        pause = new long[ladder.size()];
        ceiling = ladder.size() - 1;
        enteredAt = clock.getAsLong();
    }

    /** The policy of the next step. */
    public RouterPolicy policy() {
        return ladder.level(level);
    }

    /** 0: the least departure. */
    public int level() {
        return level;
    }

    /** Why it moved last. */
    public String reason() {
        return reason;
    }

    /**
     * Takes a measurement of the target's quantity.
     *
     * @return true if {@link #policy()} is another one now
     */
    public boolean measured(double value) {
        if (settling || Double.isNaN(value)) {
            settling = false;
            return false;
        }
        long now = clock.getAsLong();
        double wanted = target.value();
        double margin = target.tolerance() * wanted;
        boolean least = target.quantity().least();
        if (least ? value < wanted - margin : value > wanted + margin) {
            pause[level] = Math.min(LONGEST_PAUSE, pause[level] == 0 ? FIRST_PAUSE : 2 * pause[level]);
            missedAt[level] = now;
            return mayRise(now) && move(level + 1, value, now, "misses");
        }
        if (now - enteredAt > pause[level]) {
            pause[level] = 0;
        }
        // Of a share nothing is to spare near 1, so there half of what is missing counts.
        double spare = target.quantity() == Target.Quantity.HIT_RATE
                ? Math.min(wanted + margin, (1 + wanted) / 2)
                : wanted + margin;
        boolean toSpare = least ? value >= spare : value <= wanted - margin;
        return toSpare && mayFall(now) && move(level - 1, value, now, "is well within");
    }

    /**
     * The guard found the policy of this level too far from the exact router: one level down, and no higher for a while,
     * for twice as long each time.
     */
    public void tooFar() {
        long now = clock.getAsLong();
        level = Math.max(0, level - 1);
        enteredAt = now;
        settling = true;
        ceiling = level;
        ceilingAt = now;
        ceilingPause = Math.min(LONGEST_PAUSE, 2 * ceilingPause);
    }

    private boolean mayRise(long now) {
        if (now - ceilingAt > ceilingPause) {
            ceiling = ladder.size() - 1;
        }
        return level < ceiling;
    }

    private boolean mayFall(long now) {
        return level > 0 && (pause[level - 1] == 0 || now - missedAt[level - 1] > pause[level - 1]);
    }

    private boolean move(int to, double value, long now, String how) {
        Target.Quantity quantity = target.quantity();
        reason = "target: " + quantity.words() + " " + Figures.of(value) + " " + how + " the "
                + (quantity.least() ? "least" : "most") + " of " + Figures.of(target.value()) + "; "
                + ladder.knob().name().toLowerCase(Locale.ROOT) + " is level " + to + " of " + (ladder.size() - 1);
        level = to;
        enteredAt = now;
        settling = true;
        return true;
    }
}
