package dev.remora.moe;

/** From the logits of one row to its scores, in place. */
final class Scores {
    private Scores() {}

    static void apply(ScoringFunc function, float[] s, int at, int n) {
        if (function == ScoringFunc.SOFTMAX) {
            softmax(s, at, n);
        } else {
            sigmoid(s, at, n);
        }
    }

    // StrictMath: the same experts on every machine.
    private static void softmax(float[] s, int at, int n) {
        float max = s[at];
        for (int i = 1; i < n; i++) {
            max = Math.max(max, s[at + i]);
        }
        double sum = 0;
        for (int i = 0; i < n; i++) {
            s[at + i] = (float) StrictMath.exp((double) s[at + i] - max);
            sum += s[at + i];
        }
        for (int i = 0; i < n; i++) {
            s[at + i] = (float) (s[at + i] / sum);
        }
    }

    private static void sigmoid(float[] s, int at, int n) {
        for (int i = 0; i < n; i++) {
            s[at + i] = (float) (1 / (1 + StrictMath.exp(-(double) s[at + i])));
        }
    }
}
