package dev.remora.moe;

/**
 * What the router decided for the rows of one step: for each row its experts, in ascending order, and their weights.
 * Overwritten by the next sparse layer.
 */
public final class Routing {
    private final int expertsPerRow;
    private final int[] experts;
    private final float[] weights;
    private int rows;

    Routing(int maxRows, int expertsPerRow) {
        this.expertsPerRow = expertsPerRow;
        this.experts = new int[Math.multiplyExact(maxRows, expertsPerRow)];
        this.weights = new float[experts.length];
    }

    public int rows() {
        return rows;
    }

    /** num_experts_per_tok. */
    public int expertsPerRow() {
        return expertsPerRow;
    }

    /** The expert at a rank, {@code 0 <= rank < expertsPerRow()}; ascends with the rank. */
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

    /** Adds an expert to a row that has {@code count} already, keeping their order. */
    void insert(int row, int count, int expert) {
        int first = row * expertsPerRow;
        int at = first + count;
        for (; at > first && experts[at - 1] > expert; at--) {
            experts[at] = experts[at - 1];
        }
        experts[at] = expert;
    }

    void setWeight(int row, int rank, float weight) {
        weights[row * expertsPerRow + rank] = weight;
    }
}
