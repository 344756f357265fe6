package dev.remora.models.eval;

import dev.remora.core.Batch;
import dev.remora.models.eval.PolicyResult.Cost;
import dev.remora.models.eval.PolicyResult.Reading;
import dev.remora.moe.ExpertCounters;
import dev.remora.moe.Routing;
import dev.remora.moe.policy.Fallback;
import java.util.EnumMap;
import java.util.Map;

/** Adds up what the steps of one kind cost, while only one sequence runs. Written and read by any thread. */
final class StepMeter {
    private final boolean decoding;
    private boolean on;
    private long tokens;
    private long nanos;
    private long choices;
    private long chosen;
    private long bytesRead;
    private long hits;
    private long misses;
    private long overflow;
    private final Map<Fallback.Step, Long> fallbacks = new EnumMap<>(Fallback.Step.class);

    // Of the step that runs, or ran last.
    private boolean wanted;
    private Totals before;

    /** Counters of a model, all experts together. */
    private record Totals(long bytesRead, long hits, long misses, long overflow, Map<Fallback.Step, Long> fallbacks) {
        static Totals of(ExpertCounters counters) {
            Map<Fallback.Step, Long> fallbacks = new EnumMap<>(Fallback.Step.class);
            for (Fallback.Step step : Fallback.Step.values()) {
                fallbacks.put(step, counters == null ? 0 : counters.fallback(step));
            }
            if (counters == null) {
                return new Totals(0, 0, 0, 0, fallbacks);
            }
            return new Totals(counters.bytesRead(), counters.hits(), counters.misses(), counters.overflow(), fallbacks);
        }
    }

    /** @param counters of the model so far, or null if no step has run yet */
    StepMeter(Reading reading, ExpertCounters counters) {
        decoding = reading == Reading.DECODED;
        before = Totals.of(counters);
    }

    /** From here on steps count. */
    synchronized void start() {
        on = true;
    }

    /** A step is done. */
    synchronized void step(boolean decoded, int rows, long took) {
        wanted = on && decoded == decoding;
        if (wanted) {
            tokens += rows;
            nanos += took;
        }
    }

    /** A layer of the step that runs. */
    synchronized void routed(Batch batch, Routing routing) {
        if (on && (batch.rows() == 1) == decoding) {
            choices += routing.rows();
            for (int row = 0; row < routing.rows(); row++) {
                chosen += routing.count(row);
            }
        }
    }

    /** After {@link #step}: what was counted since belongs to that step. */
    synchronized void experts(ExpertCounters counters) {
        Totals now = Totals.of(counters);
        if (wanted) {
            bytesRead += now.bytesRead - before.bytesRead;
            hits += now.hits - before.hits;
            misses += now.misses - before.misses;
            overflow += now.overflow - before.overflow;
            for (Fallback.Step step : Fallback.Step.values()) {
                fallbacks.merge(step, now.fallbacks.get(step) - before.fallbacks.get(step), Long::sum);
            }
        }
        before = now;
    }

    synchronized Cost cost() {
        return new Cost(tokens, nanos, choices, chosen, bytesRead, hits, misses, overflow, fallbacks);
    }
}
