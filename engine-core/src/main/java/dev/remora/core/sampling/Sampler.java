package dev.remora.core.sampling;

import dev.remora.core.RemoraException;
import java.util.Objects;

/**
 * Chooses the tokens of one generation, one after another. For one thread; allocates nothing after construction.
 *
 * <p>The order is that of Hugging Face's {@code GenerationMixin} ({@code logits_process.py}: bias and repetition
 * penalty among the processors, then the warpers temperature, top-k, top-p, min-p), with the frequency and presence
 * penalties of the OpenAI API where vLLM applies them, after the repetition penalty:
 *
 * <ol>
 *   <li>logit bias: {@code l += bias[id]};
 *   <li>repetition penalty, on ids of prompt and answer: {@code l > 0 ? l / r : l * r} (Keskar et al.,
 *       arXiv:1909.05858);
 *   <li>frequency and presence penalty, on ids of the answer: {@code l -= frequency * count + presence};
 *   <li>temperature: {@code l / t}; 0 takes the largest logit here and ends;
 *   <li>top-k: the k largest;
 *   <li>top-p: of these, renormalised, the fewest of the largest whose probabilities sum to p or more;
 *   <li>min-p: of these, the ones at least {@code minP} times as probable as the first.
 * </ol>
 *
 * <p>Where logits are equal the lower id comes first, in every step, and top-k keeps exactly k. One uniform number is
 * drawn for each token: it picks from the survivors by their renormalised probabilities, in descending order of
 * probability where top-k or top-p is on, else in ascending order of ids. The first token is always kept.
 */
public final class Sampler {
    private final SamplingParams params;
    private final int vocabSize;
    private final Penalties penalties;
    private final SplitMix64 random;
    private final boolean topK;
    private final boolean topP;
    private final Ranking ranking;
    // Survivors in their order, with exp((logit - max) / temperature).
    private final int[] ids;
    private final double[] weights;
    private float logProbability = Float.NaN;

    /**
     * A sampler for one generation.
     *
     * @param params a seed of {@link SamplingParams#RANDOM_SEED} is replaced by a fresh one: see {@link #params()}
     * @param vocabSize logits per row
     * @throws IllegalArgumentException if the logit bias names an id beyond the vocabulary
     */
    public Sampler(SamplingParams params, int vocabSize) {
        this.params = params.withDrawnSeed();
        this.vocabSize = vocabSize;
        penalties = new Penalties(params, vocabSize);
        random = new SplitMix64(this.params.seed());
        topK = params.topK() > 0 && params.topK() < vocabSize;
        topP = params.topP() < 1;
        int chance = params.isGreedy() ? 0 : vocabSize;
        ranking = new Ranking(topK || topP ? chance : 0);
        ids = new int[topK || topP ? chance : 0];
        weights = new double[chance];
    }

    /** The parameters in use, with the seed in use. */
    public SamplingParams params() {
        return params;
    }

    /**
     * Tells which ids stand before the answer, for the repetition penalty.
     *
     * @throws IndexOutOfBoundsException if the range or an id is out of bounds
     */
    public void observe(int[] prompt, int from, int count) {
        Objects.checkFromIndexSize(from, count, prompt.length);
        for (int i = from; i < from + count; i++) {
            penalties.see(Objects.checkIndex(prompt[i], vocabSize));
        }
    }

    /**
     * Chooses the next id and counts it as generated.
     *
     * @param logits (vocabSize), not changed; further elements are ignored
     * @throws RemoraException if a logit is NaN or infinite, or the bias forbids every token
     */
    public int sample(float[] logits) {
        double normaliser = LogSoftmax.logSumExp(logits, 0, vocabSize);
        float[] scores = penalties.apply(logits);
        int best = Greedy.choice(scores, 0, vocabSize);
        if (!(Math.abs(scores[best]) <= Float.MAX_VALUE)) {
            throw new RemoraException(
                    "logitBias: expected at least one token that is not forbidden, found none among " + vocabSize);
        }
        int id = params.isGreedy() ? best : draw(scores, scores[best]);
        logProbability = (float) (logits[id] - normaliser);
        penalties.generated(id);
        return id;
    }

    /**
     * Natural logarithm of the probability of the last chosen id under the distribution of the logits as given: before
     * bias, penalties, temperature and cuts. NaN before the first.
     */
    public float logProbability() {
        return logProbability;
    }

    private int draw(float[] scores, float max) {
        if (!topK && !topP) {
            return pick(weighAll(scores, max, params.minP()), vocabSize, false);
        }
        ranking.clear();
        return topK ? drawTopK(scores, max) : drawTopP(scores, max);
    }

    private int drawTopK(float[] scores, float max) {
        for (int id = 0; id < vocabSize; id++) {
            ranking.add(id, scores[id]);
        }
        ranking.order();
        double total = 0;
        for (int i = 0; i < params.topK(); i++) {
            ids[i] = ranking.next();
            weights[i] = weight(scores[ids[i]], max);
            total += weights[i];
        }
        double enough = topP ? params.topP() * total : Double.POSITIVE_INFINITY;
        int kept = 0;
        double sum = 0;
        while (kept < params.topK() && sum < enough && (kept == 0 || weights[kept] >= params.minP())) {
            sum += weights[kept++];
        }
        return pick(sum, kept, true);
    }

    private int drawTopP(float[] scores, float max) {
        double total = weighAll(scores, max, 0);
        // All ids below this weight together hold less than half of what top-p leaves out: none of them can be needed.
        double negligible = (1.0 - params.topP()) * total / (2.0 * vocabSize);
        for (int id = 0; id < vocabSize; id++) {
            if (weights[id] >= negligible) {
                ranking.add(id, scores[id]);
            }
        }
        ranking.order();
        double enough = params.topP() * total;
        int kept = 0;
        double sum = 0;
        while (ranking.remaining() > 0 && sum < enough) {
            int id = ranking.next();
            double weight = weight(scores[id], max);
            if (kept > 0 && weight < params.minP()) {
                break;
            }
            ids[kept] = id;
            weights[kept++] = weight;
            sum += weight;
        }
        return pick(sum, kept, true);
    }

    /** Weights of all ids, 0 below {@code least}; returns their sum. */
    private double weighAll(float[] scores, float max, float least) {
        double total = 0;
        for (int id = 0; id < vocabSize; id++) {
            double weight = weight(scores[id], max);
            weights[id] = weight >= least ? weight : 0;
            total += weights[id];
        }
        return total;
    }

    /** Relative to the largest, so the first survivor weighs 1. */
    private double weight(float score, float max) {
        return Math.exp(((double) score - max) / params.temperature());
    }

    private int pick(double total, int count, boolean ranked) {
        double target = random.nextDouble() * total;
        double sum = 0;
        int last = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] > 0) {
                last = i;
                sum += weights[i];
                if (sum > target) {
                    break;
                }
            }
        }
        return ranked ? ids[last] : last;
    }
}
