package dev.remora.core;

/**
 * The rows of one step: token ids, and for each row its sequence and position. Consecutive rows of one sequence form a
 * segment. Filled by the engine thread before each step; allocated once.
 */
public final class Batch {
    private final int[] tokens;
    private final int[] positions;
    private final CachePool.Sequence[] sequences;
    private final int[] segmentStart;
    private int rows;
    private int segments;

    public Batch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        sequences = new CachePool.Sequence[capacity];
        segmentStart = new int[capacity + 1];
    }

    public void clear() {
        rows = 0;
        segments = 0;
    }

    /** Appends a segment: {@code count} ids of {@code sequence}, at positions {@code sequence.length()} and up. */
    public void add(CachePool.Sequence sequence, int[] ids, int from, int count) {
        System.arraycopy(ids, from, tokens, rows, count);
        sequences[segments] = sequence;
        for (int i = 0; i < count; i++) {
            positions[rows + i] = sequence.length() + i;
        }
        rows += count;
        segments++;
        segmentStart[segments] = rows;
    }

    public int rows() {
        return rows;
    }

    public int token(int row) {
        return tokens[row];
    }

    public int position(int row) {
        return positions[row];
    }

    public int segments() {
        return segments;
    }

    /** First row of a segment; {@code segmentStart(segments())} is the number of rows. */
    public int segmentStart(int segment) {
        return segmentStart[segment];
    }

    public CachePool.Sequence sequence(int segment) {
        return sequences[segment];
    }
}
