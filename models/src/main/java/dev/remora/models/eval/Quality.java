package dev.remora.models.eval;

/**
 * How well a model says what some texts say, as sums: those of several labels add up.
 *
 * @param texts     that were read
 * @param questions of them, those that are answers to a question
 * @param matching  of these, answered letter for letter, whether that is the only right answer or not
 * @param judged    questions with one right answer
 * @param right     of these, answered rightly
 * @param lost      answered rightly by the exact router only
 * @param gained    answered wrongly by the exact router only
 * @param tokens    whose probability was asked for: those of the answers
 * @param surprise  sum over tokens of the negative log-probability, in nats
 * @param divergence sum over tokens of the Kullback-Leibler divergence from the exact router's distribution, in nats
 * @param agreeing  tokens for which the most probable one is that of the exact router
 */
public record Quality(
        int texts,
        int questions,
        int matching,
        int judged,
        int right,
        int lost,
        int gained,
        long tokens,
        double surprise,
        double divergence,
        long agreeing) {
    /** Of no texts. */
    public static final Quality NONE = new Quality(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** Both together. */
    public Quality plus(Quality other) {
        return new Quality(
                texts + other.texts,
                questions + other.questions,
                matching + other.matching,
                judged + other.judged,
                right + other.right,
                lost + other.lost,
                gained + other.gained,
                tokens + other.tokens,
                surprise + other.surprise,
                divergence + other.divergence,
                agreeing + other.agreeing);
    }

    /** Share of the judged answers that are right; NaN if none is judged. */
    public double accuracy() {
        return (double) right / judged;
    }

    /** {@code exp} of the mean surprise; NaN without tokens. */
    public double perplexity() {
        return Math.exp(surprise / tokens);
    }

    /** Mean divergence of a token from the exact router, in nats; NaN without tokens. */
    public double kl() {
        return divergence / tokens;
    }

    /** Share of the tokens that agree with the exact router; NaN without tokens. */
    public double top1Agreement() {
        return (double) agreeing / tokens;
    }
}
