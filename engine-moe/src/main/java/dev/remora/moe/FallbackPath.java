package dev.remora.moe;

import dev.remora.core.SwiGlu;
import dev.remora.moe.policy.Fallback;
import java.util.Arrays;

/**
 * What decoded tokens do without experts that do not come into memory in time. Experts that a prompt of the same step needs are
 * waited for anyway, and so never late.
 */
final class FallbackPath {
    private final long patience;
    private final Fallback.Step[] order;
    private final boolean[] awaitedAnyway;
    private final boolean[] late;
    private final int[] ids;
    private final SwiGlu[] substitutes;

    FallbackPath(MoeConfig config, Fallback fallback) {
        patience = fallback.deadline().toNanos();
        order = fallback.order().toArray(Fallback.Step[]::new);
        int n = config.nRoutedExperts();
        awaitedAnyway = new boolean[n];
        late = new boolean[n];
        ids = new int[n];
        substitutes = new SwiGlu[n];
    }

    /** A new layer, for which nobody waits. */
    void begin() {
        Arrays.fill(awaitedAnyway, false);
        Arrays.fill(late, false);
        Arrays.fill(substitutes, null);
    }

    /** Notes experts that the step waits for in any case. */
    void expectAll(Routing routing, int row) {
        for (int rank = 0; rank < routing.count(row); rank++) {
            awaitedAnyway[routing.expert(row, rank)] = true;
        }
    }

    /** Notes the experts of a row that are not in memory. */
    void request(Candidates candidates, int row, int layer, ExpertStore store) {
        for (int rank = 0; rank < candidates.count(row); rank++) {
            int expert = candidates.expert(row, rank);
            if (candidates.chosen(row, rank) && !awaitedAnyway[expert] && !store.resident(layer, expert)) {
                late[expert] = true;
            }
        }
    }

    /**
     * Asks for the experts that were noted and waits for them, but no longer than the deadline.
     *
     * @return true if some are late
     */
    boolean await(int layer, ExpertStore store) {
        int count = 0;
        for (int expert = 0; expert < late.length; expert++) {
            if (late[expert]) {
                ids[count] = expert;
                count++;
            }
        }
        if (count == 0) {
            return false;
        }
        store.prefetch(layer, ids, count);
        long deadline = System.nanoTime() + patience;
        boolean someLate = false;
        for (int i = 0; i < count; i++) {
            late[ids[i]] = !store.await(layer, ids[i], deadline);
            someLate |= late[ids[i]];
        }
        return someLate;
    }

    /** Replaces the late experts of one row by the first step that is possible; where none is, the expert stays. */
    void apply(Candidates candidates, int row, int layer, ExpertStore store, RoutingObserver observer) {
        for (int rank = 0; rank < candidates.count(row); rank++) {
            int expert = candidates.expert(row, rank);
            // The next of the shortlist, which may just have been chosen, are in memory.
            if (candidates.chosen(row, rank) && late[expert]) {
                for (Fallback.Step step : order) {
                    if (replace(step, candidates, row, rank, layer, store)) {
                        observer.fallback(layer, expert, step, row);
                        break;
                    }
                }
            }
        }
    }

    private boolean replace(
            Fallback.Step step, Candidates candidates, int row, int rank, int layer, ExpertStore store) {
        return switch (step) {
            case NEXT -> takeNext(candidates, row, rank, layer, store);
            case FP8 -> takeSubstitute(candidates.expert(row, rank), layer, store);
            case SHARED -> {
                candidates.choose(row, rank, false);
                yield true;
            }
        };
    }

    private boolean takeSubstitute(int expert, int layer, ExpertStore store) {
        substitutes[expert] = store.substitute(layer, expert).orElse(null);
        return substitutes[expert] != null;
    }

    private boolean takeNext(Candidates candidates, int row, int lateRank, int layer, ExpertStore store) {
        int next = next(candidates, row, layer, store);
        if (next < 0) {
            return false;
        }
        candidates.choose(row, lateRank, false);
        candidates.choose(row, next, true);
        return true;
    }

    private int next(Candidates candidates, int row, int layer, ExpertStore store) {
        for (int rank = 0; rank < candidates.count(row); rank++) {
            int expert = candidates.expert(row, rank);
            if (!candidates.chosen(row, rank) && !late[expert] && store.resident(layer, expert)) {
                return rank;
            }
        }
        return -1;
    }

    /** The network that runs in place of an expert's own in this layer, or null. */
    SwiGlu substitute(int expert) {
        return substitutes[expert];
    }
}
