package dev.remora.core;

import dev.remora.core.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What one worker of the {@link ThreadTeam} needs for itself while it multiplies; allocated once. */
public final class Scratch {
    /** Rows of a panel: inner indices that are decoded at a time. 128 x 64 f32 are 32 KB, the size of an L1 cache. */
    public static final int PANEL_ROWS = 128;

    /** Most rows of x that are multiplied without a panel. */
    public static final int FEW_ROWS = 4;

    private static final long PANEL_BYTES = 4L * PANEL_ROWS * Kernels.TILE;

    private final int worker;
    private final float[] panel = new float[PANEL_ROWS * Kernels.TILE];
    private final MemorySegment alignedPanel = Arena.ofAuto().allocate(PANEL_BYTES, 64);
    private final float[] scale = new float[Kernels.TILE];
    private float[] input = new float[0];
    private float[] sums = new float[0];
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
        return 2 * PANEL_BYTES
                + Float.BYTES * ((long) Kernels.TILE + Kernels.LANES)
                + 2 * Rows.bytes(maxRows, Kernels.TILE);
    }

    /** Index of the worker in its team, from 0. */
    public int worker() {
        return worker;
    }

    /** A decoded weight panel on the heap, (128, 64). */
    public float[] panel() {
        return panel;
    }

    /** A decoded weight panel in native memory, (128, 64) f32, aligned to 64 bytes: its vectors do not cross cache lines. */
    public MemorySegment alignedPanel() {
        return alignedPanel;
    }

    /** Block scales of the panel's 64 rows. */
    public float[] scale() {
        return scale;
    }

    /** Input rows, prepared for a format's kernel: at least so many values. Grows with the widest matrix that asks. */
    public float[] input(int length) {
        if (input.length < length) {
            input = new float[length];
        }
        return input;
    }

    /** Sums of a tile's rows over blocks of columns, before their scales: at least so many values; grows likewise. */
    public float[] sums(int length) {
        if (sums.length < length) {
            sums = new float[length];
        }
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
