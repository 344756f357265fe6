package dev.remora.core.sampling;

/** The choice of greedy decoding. */
public final class Greedy {
    private Greedy() {}

    /** The id of the largest of {@code count} logits from {@code at} on; of equal ones the lowest id. */
    public static int choice(float[] logits, int at, int count) {
        int best = 0;
        for (int id = 1; id < count; id++) {
            if (logits[at + id] > logits[at + best]) {
                best = id;
            }
        }
        return best;
    }
}
