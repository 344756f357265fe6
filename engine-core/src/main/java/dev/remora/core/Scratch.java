package dev.remora.core;

import dev.remora.core.kernel.Kernels;

/** What one worker of the {@link ThreadTeam} needs for itself while it multiplies; allocated once. */
public final class Scratch {
    /** Rows of a panel: inner indices that are decoded at a time. 128 x 64 f32 are 32 KB, the size of an L1 cache. */
    public static final int PANEL_ROWS = 128;

    private final int worker;
    private final float[] panel = new float[PANEL_ROWS * Kernels.TILE];
    private final float[] scale = new float[Kernels.TILE];
    private final float[] input = new float[PANEL_ROWS];
    private final float[] sums = new float[Kernels.TILE];
    private final float[] partial = new float[Kernels.LANES];
    private final Rows edge;
    private final Rows product;

    /**
     * @param worker  index in the team
     * @param maxRows most rows that a multiplication will see
     */
    public Scratch(int worker, int maxRows) {
        this.worker = worker;
        this.edge = new Rows(maxRows, Kernels.TILE);
        this.product = new Rows(maxRows, Kernels.TILE);
    }

    /** Bytes that one takes, for an account of memory before it is allocated. */
    static long bytes(int maxRows) {
        return Float.BYTES * ((PANEL_ROWS + 2L) * Kernels.TILE + PANEL_ROWS + Kernels.LANES)
                + 2 * Rows.bytes(maxRows, Kernels.TILE);
    }

    /** Index of the worker in its team, from 0. */
    public int worker() {
        return worker;
    }

    /** A decoded weight panel, (128, 64). */
    public float[] panel() {
        return panel;
    }

    /** Block scales of the panel's 64 rows. */
    public float[] scale() {
        return scale;
    }

    /** Columns of one input row, prepared for a format's kernel. */
    public float[] input() {
        return input;
    }

    /** Sums of a tile over the columns of one block, before its scale. */
    public float[] sums() {
        return sums;
    }

    /** The partial sums of one row. */
    public float[] partial() {
        return partial;
    }

    /** Output of a tile that sticks out of its matrix, (maxRows, 64). */
    public Rows edge() {
        return edge;
    }

    /** A second tile of output, for a chunk that combines two, (maxRows, 64). */
    public Rows product() {
        return product;
    }
}
