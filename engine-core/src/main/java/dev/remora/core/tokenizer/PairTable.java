package dev.remora.core.tokenizer;

/**
 * The merges: for a pair of neighbouring tokens the rank of their merge and the token it makes, packed as
 * {@code rank << 32 | id}, so that packed values order by rank. A hash table with open addressing, keys and values side by
 * side: one cache line a lookup.
 */
final class PairTable {
    /** No such merge: ranks behind all others. */
    static final long NONE = Long.MAX_VALUE;

    private static final long EMPTY = -1;

    private final long[] slots;
    private final int shift;

    /** @param capacity the number of pairs that will be put at most */
    PairTable(int capacity) {
        int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(Math.max(1, capacity)));
        slots = new long[2 << bits];
        java.util.Arrays.fill(slots, EMPTY);
        shift = Long.SIZE - bits;
    }

    /** Adds a merge; of two with the same pair the first stays. */
    void put(int left, int right, int rank, int merged) {
        long key = key(left, right);
        int slot = slot(key);
        if (slots[slot] == EMPTY) {
            slots[slot] = key;
            slots[slot + 1] = (long) rank << 32 | merged;
        }
    }

    /** The packed merge of a pair, or {@link #NONE}. */
    long get(int left, int right) {
        int slot = slot(key(left, right));
        return slots[slot] == EMPTY ? NONE : slots[slot + 1];
    }

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }

    /** Where the key is, or would be. The table is at most half full, so a search ends. */
    private int slot(long key) {
        int mask = slots.length - 1;
        int slot = (int) ((key * 0x9E3779B97F4A7C15L) >>> shift) << 1;
        while (slots[slot] != key && slots[slot] != EMPTY) {
            slot = (slot + 2) & mask;
        }
        return slot;
    }
}
