package dev.remora.moe;

/**
 * What the router decided for the rows of one step: for each row its experts, in ascending order, and their weights. A
 * policy may leave a row fewer experts than others, or none.
 * Overwritten by the next sparse layer.
 */
public final class Routing {
    private final int expertsPerRow;
    private final int[] experts;
    private final float[] weights;
    private final int[] counts;
    private int rows;

    Routing(int maxRows, int expertsPerRow) {
        this.expertsPerRow = expertsPerRow;
        this.experts = new int[Math.multiplyExact(maxRows, expertsPerRow)];
        this.weights = new float[experts.length];
        this.counts = new int[maxRows];
    }

    public int rows() {
        return rows;
    }

    /** num_experts_per_tok: most experts of a row. */
    public int expertsPerRow() {
        return expertsPerRow;
    }

    /** Experts of a row. */
    public int count(int row) {
        return counts[row];
    }

    /** The expert at a rank, {@code 0 <= rank < count(row)}; ascends with the rank. */
    public int expert(int row, int rank) {
        return experts[row * expertsPerRow + rank];
    }

    /** What that expert's output is multiplied with. */
    public float weight(int row, int rank) {
        return weights[row * expertsPerRow + rank];
    }

    void resize(int n) {
        rows = n;
    }

    /** Forgets the experts of a row. */
    void clear(int row) {
        counts[row] = 0;
    }

    /** Adds an expert to a row, keeping their order. */
    void insert(int row, int expert) {
        int first = row * expertsPerRow;
        int at = first + counts[row]++;
        for (; at > first && experts[at - 1] > expert; at--) {
            experts[at] = experts[at - 1];
        }
        experts[at] = expert;
    }

    void setWeight(int row, int rank, float weight) {
        weights[row * expertsPerRow + rank] = weight;
    }
}
