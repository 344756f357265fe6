package dev.remora.core.tokenizer;

/**
 * Applies merges to the symbols of one word, always the one of lowest rank, of equal ones the leftmost, until none is
 * left. For one thread.
 */
final class Merger {
    /** Up to here the lowest rank is found by looking at all pairs, which for so few is quicker than a queue. */
    private static final int SCAN_LIMIT = 48;

    private final PairTable merges;
    private int[] symbols = new int[64];
    private long[] pairs = new long[64];
    private int size;

    Merger(PairTable merges) {
        this.merges = merges;
    }

    /** Begins a word. */
    void clear() {
        size = 0;
    }

    void add(int symbol) {
        if (size == symbols.length) {
            symbols = java.util.Arrays.copyOf(symbols, size * 2);
            pairs = new long[size * 2];
        }
        symbols[size++] = symbol;
    }

    /** The number of symbols: those added, after {@link #merge} those left. */
    int size() {
        return size;
    }

    /** The symbols; valid up to {@link #size()}. */
    int[] symbols() {
        return symbols;
    }

    void merge() {
        for (int i = 0; i + 1 < size; i++) {
            pairs[i] = merges.get(symbols[i], symbols[i + 1]);
        }
        if (size <= SCAN_LIMIT) {
            mergeByScan();
        } else {
            new LongWord().merge();
        }
    }

    private void mergeByScan() {
        while (size > 1) {
            int best = 0;
            for (int i = 1; i < size - 1; i++) {
                if (pairs[i] < pairs[best]) {
                    best = i;
                }
            }
            if (pairs[best] == PairTable.NONE) {
                return;
            }
            symbols[best] = (int) pairs[best];
            size--;
            System.arraycopy(symbols, best + 2, symbols, best + 1, size - best - 1);
            System.arraycopy(pairs, best + 2, pairs, best + 1, Math.max(0, size - best - 2));
            if (best + 1 < size) {
                pairs[best] = merges.get(symbols[best], symbols[best + 1]);
            }
            if (best > 0) {
                pairs[best - 1] = merges.get(symbols[best - 1], symbols[best]);
            }
        }
    }

    /** n log n: the symbols as a linked list, the pairs in a binary heap of {@code rank << 32 | position}. */
    private final class LongWord {
        private final int[] next = new int[size];
        private final int[] previous = new int[size];
        private long[] heap = new long[size];
        private int heapSize;

        void merge() {
            for (int i = 0; i < size; i++) {
                previous[i] = i - 1;
                next[i] = i + 1 < size ? i + 1 : -1;
                if (i + 1 < size) {
                    push(i);
                }
            }
            while (heapSize > 0) {
                long top = pop();
                int at = (int) top;
                // An entry is stale if the pair at its position has changed since.
                if (next[at] < 0 || pairs[at] >>> 32 != top >>> 32) {
                    continue;
                }
                int right = next[at];
                symbols[at] = (int) pairs[at];
                pairs[right] = PairTable.NONE;
                next[at] = next[right];
                next[right] = -1;
                if (next[at] >= 0) {
                    previous[next[at]] = at;
                    pairs[at] = merges.get(symbols[at], symbols[next[at]]);
                    push(at);
                } else {
                    pairs[at] = PairTable.NONE;
                }
                int left = previous[at];
                if (left >= 0) {
                    pairs[left] = merges.get(symbols[left], symbols[at]);
                    push(left);
                }
            }
            int kept = 0;
            for (int i = 0; i >= 0; i = next[i]) {
                symbols[kept++] = symbols[i];
            }
            size = kept;
        }

        private void push(int at) {
            if (pairs[at] == PairTable.NONE) {
                return;
            }
            if (heapSize == heap.length) {
                heap = java.util.Arrays.copyOf(heap, heapSize * 2);
            }
            long entry = pairs[at] >>> 32 << 32 | at;
            int i = heapSize++;
            while (i > 0 && heap[(i - 1) / 2] > entry) {
                heap[i] = heap[(i - 1) / 2];
                i = (i - 1) / 2;
            }
            heap[i] = entry;
        }

        private long pop() {
            long top = heap[0];
            long last = heap[--heapSize];
            int i = 0;
            while (2 * i + 1 < heapSize) {
                int child = 2 * i + 1;
                if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                    child++;
                }
                if (heap[child] >= last) {
                    break;
                }
                heap[i] = heap[child];
                i = child;
            }
            heap[i] = last;
            return top;
        }
    }
}
