package dev.remora.core.sampling;

import dev.remora.core.RemoraException;

/** How far two rows of logits are apart. */
public final class Divergence {
    private Divergence() {}

    /**
     * KL(p || q) of the distributions that two rows of logits stand for, in nats, in double precision.
     *
     * @return 0 or more; infinite if a row of q has a number that is not finite
     * @throws RemoraException if p has one
     */
    public static double kl(float[] p, int pAt, float[] q, int qAt, int count) {
        double pSum = LogSoftmax.logSumExp(p, pAt, pAt + count);
        double qSum;
        try {
            qSum = LogSoftmax.logSumExp(q, qAt, qAt + count);
        } catch (RemoraException e) {
            return Double.POSITIVE_INFINITY;
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            double logP = p[pAt + i] - pSum;
            sum += Math.exp(logP) * (logP - (q[qAt + i] - qSum));
        }
        // Rounding may leave a sum of nearly equal rows below nothing.
        return Math.max(0, sum);
    }

    /** True if both rows are largest at the same place; of equal logits the first counts. */
    public static boolean sameTop(float[] p, int pAt, float[] q, int qAt, int count) {
        return Greedy.choice(p, pAt, count) == Greedy.choice(q, qAt, count);
    }
}
