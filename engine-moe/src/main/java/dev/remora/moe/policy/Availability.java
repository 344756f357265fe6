package dev.remora.moe.policy;

/**
 * The second of two stages: of a shortlist by skill, prefer experts that are at hand.
 *
 * @param shortlist M: candidates that the exact router prefers, above num_experts_per_tok
 * @param lambda    weight of availability against skill, 0 or more
 * @param keep      J: the best, which stay whatever their availability
 * @param maxLoss   most that a row may give up of the mass of its exact experts, 0 to 1
 */
public record Availability(int shortlist, double lambda, int keep, double maxLoss) {
    /** @throws IllegalArgumentException if a number is out of its range */
    public Availability {
        if (shortlist < 2) {
            throw new IllegalArgumentException("m: expected a shortlist of 2 or more experts, found " + shortlist);
        }
        if (!(lambda >= 0) || Double.isInfinite(lambda)) {
            throw new IllegalArgumentException("lambda: expected 0 or more, found " + lambda);
        }
        if (keep < 0) {
            throw new IllegalArgumentException("keep: expected 0 or more experts, found " + keep);
        }
        if (!(maxLoss >= 0 && maxLoss <= 1)) {
            throw new IllegalArgumentException("loss: expected a share of 0 to 1, found " + maxLoss);
        }
    }
}
