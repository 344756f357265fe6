package dev.remora.moe.policy;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;

/**
 * What a decoded token does with an expert that is not in memory in time.
 *
 * @param deadline that a layer waits for all experts that it asked for
 * @param order    the steps to try then, the first that is possible is taken; if none is, the expert is waited for
 */
public record Fallback(Duration deadline, List<Step> order) {
    /** What takes the place of an expert. */
    public enum Step {
        /** The next candidate of the row's shortlist that is in memory, with its own weight. */
        NEXT,
        /** A copy of the expert in FP8 that is held in memory, if there is one. */
        FP8,
        /** Nothing: the shared experts do alone what is left. */
        SHARED
    }

    private static final Duration LONGEST = Duration.ofMinutes(1);

    /** @throws IllegalArgumentException if the deadline is negative or above a minute, or the order empty or repetitive */
    public Fallback {
        if (deadline.isNegative() || deadline.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("deadline: expected 0 to 60 seconds, found " + deadline);
        }
        order = List.copyOf(order);
        if (order.isEmpty()) {
            throw new IllegalArgumentException("order: expected at least one of next, fp8, shared, found none");
        }
        if (EnumSet.copyOf(order).size() < order.size()) {
            throw new IllegalArgumentException("order: expected each step once, found " + order);
        }
    }
}
