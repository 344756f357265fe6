package dev.remora.moe.policy;

/** How many of the exact router's experts a decoded token keeps. */
public sealed interface TopK {
    /** num_experts_per_tok, as the model was trained. */
    record Exact() implements TopK {}

    /**
     * The k that the exact router prefers, with the weights that the exact router gives them.
     *
     * @param k 1 to num_experts_per_tok
     */
    record Fixed(int k) implements TopK {
        /** @throws IllegalArgumentException if k is below 1 */
        public Fixed {
            if (k < 1) {
                throw new IllegalArgumentException("topk: expected 1 or more experts, found " + k);
            }
        }
    }

    /**
     * As many as it takes to hold a share of the router's mass. Mass is the sum of the scores without bias within the exact
     * top kMax; experts are kept in descending order of that score.
     *
     * @param mass        share to reach, above 0, at most 1
     * @param kMin        fewest experts, 1 or more
     * @param kMax        most experts, at least kMin; 0: num_experts_per_tok
     * @param renormalize the weights that are left are scaled to the sum of those of the exact top num_experts_per_tok;
     *     otherwise they stay what the exact router makes them
     */
    record Adaptive(double mass, int kMin, int kMax, boolean renormalize) implements TopK {
        /** @throws IllegalArgumentException if a number is out of its range */
        public Adaptive {
            if (!(mass > 0 && mass <= 1)) {
                throw new IllegalArgumentException("mass: expected a share above 0, at most 1, found " + mass);
            }
            if (kMin < 1) {
                throw new IllegalArgumentException("kmin: expected 1 or more, found " + kMin);
            }
            if (kMax != 0 && kMax < kMin) {
                throw new IllegalArgumentException(
                        "kmax: expected at least kmin = " + kMin + ", or 0 for num_experts_per_tok, found " + kMax);
            }
        }
    }
}
