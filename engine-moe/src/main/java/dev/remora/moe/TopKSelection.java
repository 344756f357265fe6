package dev.remora.moe;

import dev.remora.moe.policy.TopK;

/** How many of the best candidates a decoded token keeps. */
final class TopKSelection {
    private final int numExpertsPerTok;
    private final TopK topK;

    TopKSelection(MoeConfig config, TopK topK) {
        numExpertsPerTok = config.numExpertsPerTok();
        this.topK = topK;
    }

    void apply(Candidates candidates, int row) {
        switch (topK) {
            case TopK.Exact exact -> best(candidates, row, numExpertsPerTok);
            case TopK.Fixed fixed -> best(candidates, row, fixed.k());
            case TopK.Adaptive adaptive -> adaptive(candidates, row, adaptive);
        }
    }

    private static void best(Candidates candidates, int row, int k) {
        for (int rank = 0; rank < k; rank++) {
            candidates.choose(row, rank, true);
        }
    }

    private void adaptive(Candidates candidates, int row, TopK.Adaptive adaptive) {
        int kMax = adaptive.kMax() > 0 ? adaptive.kMax() : numExpertsPerTok;
        double total = 0;
        for (int rank = 0; rank < kMax; rank++) {
            total += candidates.score(row, rank);
        }
        double kept = 0;
        for (int k = 0; k < kMax && (k < adaptive.kMin() || kept < adaptive.mass() * total); k++) {
            int rank = largest(candidates, row, kMax);
            candidates.choose(row, rank, true);
            kept += candidates.score(row, rank);
        }
        if (adaptive.renormalize() && kept > 0) {
            candidates.scale(row, candidates.mass(row) / kept);
        }
    }

    /** Of those that are not chosen, the one that weighs most: with a bias, not always the next. */
    private static int largest(Candidates candidates, int row, int kMax) {
        int best = -1;
        for (int rank = 0; rank < kMax; rank++) {
            if (!candidates.chosen(row, rank)
                    && (best < 0 || candidates.score(row, rank) > candidates.score(row, best))) {
                best = rank;
            }
        }
        return best;
    }
}
