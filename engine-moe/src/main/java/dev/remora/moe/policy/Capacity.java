package dev.remora.moe.policy;

/**
 * Most rows of one prompt that an expert takes in one step: max(1, ceil(factor * rows * num_experts_per_tok /
 * n_routed_experts)).
 *
 * @param factor 1: what a perfectly even load would be
 */
public record Capacity(double factor) {
    /** @throws IllegalArgumentException if the factor is not a positive number */
    public Capacity {
        if (!(factor > 0) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("capacity: expected a factor above 0, found " + factor);
        }
    }
}
