package dev.remora.core.tokenizer;

import java.util.Arrays;

/**
 * The ids of words met before. Of bounded size: a word takes the slot that its hash says, and with it the place of the
 * word that was there. Threads share it without locks: an entry is immutable, and a lost update costs one more merge.
 */
final class WordCache {
    static final int MAX_WORD = 32;

    private static final int SLOTS = 1 << 14;

    private final Entry[] slots = new Entry[SLOTS];

    /** Only final fields, so that an entry seen by another thread is seen whole. */
    private static final class Entry {
        final char[] word;
        final int[] ids;

        Entry(char[] word, int[] ids) {
            this.word = word;
            this.ids = ids;
        }
    }

    static int hash(char[] text, int from, int to) {
        int hash = to - from;
        for (int i = from; i < to; i++) {
            hash = hash * 31 + text[i];
        }
        hash *= 0x9E3779B9;
        return hash >>> 16 ^ hash;
    }

    /** The ids of a word, not to be changed; null if it is not here. */
    int[] get(char[] text, int from, int to, int hash) {
        Entry entry = slots[hash & (SLOTS - 1)];
        return entry != null && Arrays.equals(entry.word, 0, entry.word.length, text, from, to) ? entry.ids : null;
    }

    void put(char[] text, int from, int to, int hash, int[] ids) {
        slots[hash & (SLOTS - 1)] = new Entry(Arrays.copyOfRange(text, from, to), ids);
    }
}
