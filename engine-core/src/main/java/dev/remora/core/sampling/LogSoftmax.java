package dev.remora.core.sampling;

import dev.remora.core.RemoraException;
import java.util.Objects;

/** The normaliser of a row of logits: {@code log p(id) = logits[id] - logSumExp(logits)}. */
public final class LogSoftmax {
    private LogSoftmax() {}

    /**
     * {@code log(sum(exp(logits[from, to))))} in double precision, safe from overflow.
     *
     * @throws RemoraException if a logit is NaN or infinite: the forward pass went wrong, and no token can be trusted
     */
    public static double logSumExp(float[] logits, int from, int to) {
        Objects.checkFromToIndex(from, to, logits.length);
        float max = Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            // Negated, so that NaN fails it too.
            if (!(Math.abs(logits[i]) <= Float.MAX_VALUE)) {
                throw notFinite(logits[i], i - from);
            }
            max = Math.max(max, logits[i]);
        }
        double sum = 0;
        for (int i = from; i < to; i++) {
            sum += Math.exp((double) logits[i] - max);
        }
        return max + Math.log(sum);
    }

    private static RemoraException notFinite(float logit, int id) {
        return new RemoraException("logits: expected finite numbers, found " + logit + " for token " + id
                + ". The weights or the cache of this model are damaged, or a kernel is wrong on this machine:"
                + " compare the checkpoint with its source and run the kernel self-test");
    }
}
