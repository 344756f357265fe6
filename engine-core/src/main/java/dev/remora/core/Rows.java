package dev.remora.core;

/**
 * A block of rows of f32, the unit that every layer works on: n rows of {@code width} values, row i starting at {@code
 * offset(i)} of {@link #data}. Storage is allocated once for {@code capacity} rows; a step sets how many are in use.
 */
public final class Rows {
    /** Floats of a cache line. */
    private static final int LINE = 16;

    private static final int SPREAD_WIDTH = 1024;

    private final float[] data;
    private final int[] offsets;
    private final int width;
    private int count;

    /** Rows with storage of their own, one after the other; rows of at least 1024 values have gaps between them. */
    public Rows(int capacity, int width) {
        this(new float[Math.multiplyExact(capacity, (int) distance(width))], new int[capacity], width);
        for (int row = 0; row < capacity; row++) {
            offsets[row] = row * (int) distance(width);
        }
    }

    /**
     * From row to row, an odd number of cache lines if rows are long: at a distance of a power of two, the same column of all
     * rows would share a few sets of each cache, and a multiplication, which walks down columns, would miss them all.
     */
    private static long distance(long width) {
        return width < SPREAD_WIDTH ? width : ((width + LINE - 1) / LINE | 1) * LINE;
    }

    private Rows(float[] data, int[] offsets, int width) {
        this.data = data;
        this.offsets = offsets;
        this.width = width;
    }

    /** Bytes that rows of this capacity take, for an account of memory before they are allocated. */
    public static long bytes(int capacity, long width) {
        return capacity * (distance(width) * Float.BYTES + Integer.BYTES);
    }

    /** An empty selection of up to {@code capacity} of these rows, in any order, sharing their storage. */
    public Rows selection(int capacity) {
        return new Rows(data, new int[capacity], width);
    }

    /** Makes this selection {@code n} consecutive rows of {@code source}, whose storage it must share. */
    public void select(Rows source, int from, int n) {
        System.arraycopy(source.offsets, from, offsets, 0, n);
        count = n;
    }

    /** Appends one row of {@code source}, whose storage it must share, to this selection. */
    public void append(Rows source, int row) {
        offsets[count++] = source.offsets[row];
    }

    /** Sets how many rows are in use. */
    public void resize(int n) {
        if (n < 0 || n > offsets.length) {
            throw new IllegalArgumentException(n + " rows of a capacity of " + offsets.length);
        }
        count = n;
    }

    public int count() {
        return count;
    }

    public int capacity() {
        return offsets.length;
    }

    public int width() {
        return width;
    }

    public float[] data() {
        return data;
    }

    /** {@link #offset} of all rows in use; to be read only. */
    public int[] offsets() {
        return offsets;
    }

    /** Index in {@link #data} of the first value of a row. */
    public int offset(int row) {
        return offsets[row];
    }
}
