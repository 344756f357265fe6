package dev.remora.moe;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.TopK;
import java.util.Locale;

/**
 * The shape of the sparse layers, one for the whole model. Components are the keys of config.json.
 *
 * @param hiddenSize          d      width of the residual stream
 * @param moeIntermediateSize        width of one expert's activation
 * @param nRoutedExperts      N_r    experts that the router chooses from
 * @param nSharedExperts      N_s    experts that every row passes, stored as one network; 0: none
 * @param numExpertsPerTok    K_r    routed experts of one row
 * @param nGroup                     equal, contiguous groups of experts; ignored by {@link TopkMethod#GREEDY}
 * @param topkGroup                  groups that a row may choose from; ignored by {@link TopkMethod#GREEDY}
 * @param normTopkProb               weights of the chosen experts are divided by their sum
 * @param routedScalingFactor        what weights are multiplied with, see {@link TopkMethod}
 */
public record MoeConfig(
        int hiddenSize,
        int moeIntermediateSize,
        int nRoutedExperts,
        int nSharedExperts,
        int numExpertsPerTok,
        int nGroup,
        int topkGroup,
        ScoringFunc scoringFunc,
        TopkMethod topkMethod,
        boolean normTopkProb,
        double routedScalingFactor) {
    /**
     * Checks the values against each other.
     *
     * @throws CheckpointException       if they contradict each other
     * @throws UnsupportedModelException if no published model defines their combination
     */
    public MoeConfig {
        positive(hiddenSize, "hidden_size");
        positive(moeIntermediateSize, "moe_intermediate_size");
        positive(nRoutedExperts, "n_routed_experts");
        positive(numExpertsPerTok, "num_experts_per_tok");
        require(nSharedExperts >= 0, "n_shared_experts", "0 or more", nSharedExperts);
        require(
                (long) nSharedExperts * moeIntermediateSize <= Integer.MAX_VALUE,
                "n_shared_experts",
                "a shared width, times moe_intermediate_size = " + moeIntermediateSize + ", below 2^31",
                nSharedExperts);
        require(
                numExpertsPerTok <= nRoutedExperts,
                "num_experts_per_tok",
                "at most n_routed_experts = " + nRoutedExperts,
                numExpertsPerTok);
        require(
                routedScalingFactor > 0 && Double.isFinite(routedScalingFactor),
                "routed_scaling_factor",
                "a positive number",
                routedScalingFactor);
        if (topkMethod != TopkMethod.GREEDY) {
            requireGroups(nRoutedExperts, numExpertsPerTok, nGroup, topkGroup, topkMethod);
        }
        if (topkMethod != TopkMethod.NOAUX_TC && scoringFunc != ScoringFunc.SOFTMAX) {
            throw new UnsupportedModelException(
                    "topk_method " + topkMethod.name().toLowerCase(Locale.ROOT)
                            + ": expected scoring_func softmax, found "
                            + scoringFunc.name().toLowerCase(Locale.ROOT)
                            + "; sigmoid scores are defined for topk_method noaux_tc");
        }
    }

    private static void requireGroups(int experts, int perTok, int nGroup, int topkGroup, TopkMethod method) {
        positive(nGroup, "n_group");
        positive(topkGroup, "topk_group");
        require(experts % nGroup == 0, "n_routed_experts", "a multiple of n_group = " + nGroup, experts);
        require(topkGroup <= nGroup, "topk_group", "at most n_group = " + nGroup, topkGroup);
        int reachable = topkGroup * (experts / nGroup);
        require(
                perTok <= reachable,
                "num_experts_per_tok",
                "at most the " + reachable + " experts of topk_group = " + topkGroup + " groups",
                perTok);
        require(
                method != TopkMethod.NOAUX_TC || topkGroup == nGroup || experts / nGroup >= 2,
                "n_group",
                "groups of at least two of the n_routed_experts = " + experts
                        + ", because topk_method noaux_tc ranks groups by their two best",
                nGroup);
    }

    /** Experts of one group. */
    public int expertsPerGroup() {
        return nRoutedExperts / nGroup;
    }

    /** Width of the shared experts' activation; 0 without shared experts. */
    public int sharedIntermediateSize() {
        return nSharedExperts * moeIntermediateSize;
    }

    /** True if some groups are out of reach for a row. */
    boolean limitsGroups() {
        return topkMethod != TopkMethod.GREEDY && topkGroup < nGroup;
    }

    /** Experts that one row may choose from. */
    int reachableExperts() {
        return limitsGroups() ? topkGroup * expertsPerGroup() : nRoutedExperts;
    }

    /**
     * Makes sure that a router of this shape can do what a policy asks for.
     *
     * @throws IllegalArgumentException if it cannot
     */
    public void requireSupports(RouterPolicy policy) {
        switch (policy.topK()) {
            case TopK.Exact exact -> {}
            case TopK.Fixed fixed -> requireAtMostAll("topk", fixed.k());
            case TopK.Adaptive adaptive -> requireAtMostAll("kmax", Math.max(adaptive.kMin(), adaptive.kMax()));
        }
        policy.availability().ifPresent(availability -> {
            int m = availability.shortlist();
            if (m <= numExpertsPerTok || m > nRoutedExperts) {
                throw new IllegalArgumentException("policy: available: expected m above num_experts_per_tok = "
                        + numExpertsPerTok + ", at most n_routed_experts = " + nRoutedExperts + ", found " + m);
            }
        });
    }

    private void requireAtMostAll(String name, int k) {
        if (k > numExpertsPerTok) {
            throw new IllegalArgumentException("policy: " + name + ": expected at most num_experts_per_tok = "
                    + numExpertsPerTok + ", found " + k);
        }
    }

    private static void positive(int value, String key) {
        require(value > 0, key, "a positive number", value);
    }

    private static void require(boolean condition, String key, String expected, Number found) {
        if (!condition) {
            throw new CheckpointException(key + ": expected " + expected + ", found " + found);
        }
    }
}
