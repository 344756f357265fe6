package dev.remora.moe;

import dev.remora.core.Batch;
import java.util.Arrays;

/**
 * What a policy chooses from: for each row that it may touch, the experts that the router prefers, best first, with their
 * scores, and which of them the row shall meet. Rows that no policy touches have none.
 */
final class Candidates {
    private final int perRow;
    private final int[] experts;
    private final float[] scores;
    private final boolean[] chosen;
    private final boolean[] decoding;
    private final int[] wanted;
    private final int[] counts;
    private final double[] mass;
    private final double[] scale;

    /** @param perRow most candidates of a row */
    Candidates(int maxRows, int perRow) {
        this.perRow = perRow;
        experts = new int[Math.multiplyExact(maxRows, perRow)];
        scores = new float[experts.length];
        chosen = new boolean[experts.length];
        decoding = new boolean[maxRows];
        wanted = new int[maxRows];
        counts = new int[maxRows];
        mass = new double[maxRows];
        scale = new double[maxRows];
    }

    /** Bytes that candidates take. */
    static long bytes(int maxRows, int perRow) {
        return (long) maxRows
                * (perRow * (Integer.BYTES + Float.BYTES + 1L) + 2 * Integer.BYTES + 2 * Double.BYTES + 1);
    }

    /** A new step: so many candidates for each row of a prompt, and for each decoded token. */
    void begin(Batch batch, int ofPrompts, int ofDecoding) {
        for (int segment = 0; segment < batch.segments(); segment++) {
            int from = batch.segmentStart(segment);
            int to = batch.segmentStart(segment + 1);
            boolean one = to - from == 1;
            Arrays.fill(decoding, from, to, one);
            Arrays.fill(wanted, from, to, one ? ofDecoding : ofPrompts);
            Arrays.fill(counts, from, to, 0);
        }
    }

    /** True for a row that is all of its sequence in this step: a token that is being decoded. */
    boolean decoding(int row) {
        return decoding[row];
    }

    /** Candidates that the router shall name for a row; 0: the row stays exact. */
    int wanted(int row) {
        return wanted[row];
    }

    /** Names the next best candidate of a row. */
    void add(int row, int expert, float score) {
        int at = row * perRow + counts[row]++;
        experts[at] = expert;
        scores[at] = score;
        chosen[at] = false;
    }

    int count(int row) {
        return counts[row];
    }

    int expert(int row, int rank) {
        return experts[row * perRow + rank];
    }

    /** The score without bias. */
    float score(int row, int rank) {
        return scores[row * perRow + rank];
    }

    boolean chosen(int row, int rank) {
        return chosen[row * perRow + rank];
    }

    void choose(int row, int rank, boolean value) {
        chosen[row * perRow + rank] = value;
    }

    /** How many of a row's candidates are chosen. */
    int chosen(int row) {
        int sum = 0;
        for (int rank = 0; rank < counts[row]; rank++) {
            sum += chosen(row, rank) ? 1 : 0;
        }
        return sum;
    }

    /** Sum of the scores of the exact router's experts. */
    double mass(int row) {
        return mass[row];
    }

    /** Sets the mass, and that weights are not scaled. */
    void mass(int row, double value) {
        mass[row] = value;
        scale[row] = 1;
    }

    /** What the weights of the exact router are multiplied with. */
    double scale(int row) {
        return scale[row];
    }

    void scale(int row, double value) {
        scale[row] = value;
    }
}
