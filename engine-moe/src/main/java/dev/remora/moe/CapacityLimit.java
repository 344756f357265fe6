package dev.remora.moe;

import dev.remora.moe.policy.Capacity;
import java.util.Arrays;

/** Rows of one prompt that an expert takes: the first ones, each as many experts as the exact router gives it, if it can. */
final class CapacityLimit {
    private final MoeConfig config;
    private final double factor;
    private final int[] load;

    CapacityLimit(MoeConfig config, Capacity capacity) {
        this.config = config;
        factor = capacity.factor();
        load = new int[config.nRoutedExperts()];
    }

    /** Most rows of an expert, of a chunk of so many. */
    int limit(int rows) {
        double share = factor * rows * config.numExpertsPerTok() / config.nRoutedExperts();
        return (int) Math.max(1, Math.min(rows, Math.ceil(share)));
    }

    /** Chooses for the rows {@code [from, to)}, which are one prompt's. */
    void apply(Candidates candidates, int from, int to, int layer, RoutingObserver observer) {
        Arrays.fill(load, 0);
        int limit = limit(to - from);
        for (int row = from; row < to; row++) {
            int missing = config.numExpertsPerTok();
            for (int rank = 0; rank < candidates.count(row) && missing > 0; rank++) {
                int expert = candidates.expert(row, rank);
                if (load[expert] < limit) {
                    load[expert]++;
                    missing--;
                    candidates.choose(row, rank, true);
                } else if (rank < config.numExpertsPerTok()) {
                    observer.overflow(layer, expert, row);
                }
            }
        }
    }
}
