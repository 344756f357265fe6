package dev.remora.core.sampling;

/**
 * Token ids in descending order of score, the lower id first among equals, taken one by one: a binary heap, so that the
 * few that are wanted cost no sort of the vocabulary. Allocates nothing after construction.
 *
 * <pre>
 *   63              32 31             0
 *   +-----------------+---------------+
 *   | score, ordered  | ~id           |     one long per id: comparing longs compares (score, -id)
 *   +-----------------+---------------+
 * </pre>
 */
final class Ranking {
    private final long[] heap;
    private int size;

    Ranking(int capacity) {
        heap = new long[capacity];
    }

    void clear() {
        size = 0;
    }

    /** Adds an id; {@link #order()} must follow before the first {@link #next()}. */
    void add(int id, float score) {
        heap[size++] = key(id, score);
    }

    /** Makes the added ids ready to be taken: O(size). */
    void order() {
        for (int parent = size / 2 - 1; parent >= 0; parent--) {
            sink(parent);
        }
    }

    int remaining() {
        return size;
    }

    /** Takes the best of the remaining ids: O(log size). */
    int next() {
        long best = heap[0];
        heap[0] = heap[--size];
        sink(0);
        return ~(int) best;
    }

    private static long key(int id, float score) {
        // + 0f makes -0 equal to 0. Negative floats ascend as their bits descend, hence the flip of all but the sign.
        int bits = Float.floatToRawIntBits(score + 0f);
        return ((long) (bits ^ ((bits >> 31) & 0x7FFFFFFF)) << 32) | (~id & 0xFFFFFFFFL);
    }

    private void sink(int start) {
        int hole = start;
        long key = heap[hole];
        for (int child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
            if (child + 1 < size && heap[child + 1] > heap[child]) {
                child++;
            }
            if (heap[child] <= key) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = key;
    }
}
