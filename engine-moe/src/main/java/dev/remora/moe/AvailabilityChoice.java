package dev.remora.moe;

import dev.remora.moe.policy.Availability;
import java.util.Arrays;

/**
 * The second stage of a choice of two: skill has named a shortlist, now availability is mixed in. With
 *
 * <pre>
 *   skill(e) = s(e) / (sum of s over the exact router's experts)
 *   a(e)     = 1                               read for another row of the step anyway
 *              1/2                             in memory
 *              1/2 * 1 ms / (1 ms + load time) elsewhere; a load time below 1 ms counts as 1 ms
 * </pre>
 *
 * a chosen expert o, other than the best J, is exchanged for a candidate i that is more available, if skill(i) + lambda * a(i)
 * exceeds skill(o) + lambda * a(o); the exchange that gains most comes first, and none that would bring the skill given up
 * above its bound. Each candidate comes in at most once and stays.
 */
final class AvailabilityChoice {
    private static final long MILLISECOND = 1_000_000;
    private static final double IN_MEMORY = 0.5;

    private final Availability policy;
    private final boolean[] certain;
    private final double[] availability;
    private final boolean[] fixed;
    private int out;
    private int in;

    /** @param perRow most candidates of a row */
    AvailabilityChoice(MoeConfig config, int perRow, Availability policy) {
        this.policy = policy;
        certain = new boolean[config.nRoutedExperts()];
        availability = new double[perRow];
        fixed = new boolean[perRow];
    }

    /** A new layer, in which nothing is known to be read. */
    void begin() {
        Arrays.fill(certain, false);
    }

    /** Notes experts that a row reads in any case. */
    void expectAll(Routing routing, int row) {
        for (int rank = 0; rank < routing.count(row); rank++) {
            certain[routing.expert(row, rank)] = true;
        }
    }

    /** Notes the experts that a row keeps in any case. */
    void expectBest(Candidates candidates, int row) {
        int kept = 0;
        for (int rank = 0; rank < candidates.count(row) && kept < policy.keep(); rank++) {
            if (candidates.chosen(row, rank)) {
                certain[candidates.expert(row, rank)] = true;
                kept++;
            }
        }
    }

    /** Exchanges experts of one row, once all rows of the step were noted. */
    void apply(Candidates candidates, int row, int layer, ExpertStore store) {
        int count = Math.min(policy.shortlist(), candidates.count(row));
        prepare(candidates, row, count, layer, store);
        double loss = 0;
        while (findExchange(candidates, row, count, loss)) {
            loss += lost(candidates, row);
            candidates.choose(row, out, false);
            candidates.choose(row, in, true);
            fixed[in] = true;
        }
    }

    /** Sets {@link #out} and {@link #in}, the first of those that gain most; false if none gains. */
    private boolean findExchange(Candidates candidates, int row, int count, double loss) {
        double best = 0;
        int bestOut = -1;
        int bestIn = -1;
        for (out = 0; out < count; out++) {
            if (!candidates.chosen(row, out) || fixed[out]) {
                continue;
            }
            for (in = 0; in < count; in++) {
                if (!candidates.chosen(row, in) && availability[in] > availability[out]) {
                    double lost = lost(candidates, row);
                    double gain = policy.lambda() * (availability[in] - availability[out]) - lost;
                    if (gain > best && loss + lost <= policy.maxLoss()) {
                        best = gain;
                        bestOut = out;
                        bestIn = in;
                    }
                }
            }
        }
        out = bestOut;
        in = bestIn;
        return in >= 0;
    }

    /** Skill that the exchange gives up. */
    private double lost(Candidates candidates, int row) {
        return skill(candidates, row, out) - skill(candidates, row, in);
    }

    private void prepare(Candidates candidates, int row, int count, int layer, ExpertStore store) {
        int kept = 0;
        for (int rank = 0; rank < count; rank++) {
            int expert = candidates.expert(row, rank);
            fixed[rank] = candidates.chosen(row, rank) && kept < policy.keep();
            kept += fixed[rank] ? 1 : 0;
            availability[rank] = availability(layer, expert, store);
        }
    }

    private double availability(int layer, int expert, ExpertStore store) {
        if (certain[expert]) {
            return 1;
        }
        if (store.resident(layer, expert)) {
            return IN_MEMORY;
        }
        double loading = Math.max(MILLISECOND, store.loadNanos(layer));
        return IN_MEMORY * MILLISECOND / (MILLISECOND + loading);
    }

    private static double skill(Candidates candidates, int row, int rank) {
        return candidates.score(row, rank) / candidates.mass(row);
    }
}
