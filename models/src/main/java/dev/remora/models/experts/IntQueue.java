package dev.remora.models.experts;

/** First in, first out, in a fixed array. */
final class IntQueue {
    private final int[] values;
    private int first;
    private int count;

    IntQueue(int capacity) {
        values = new int[capacity];
    }

    boolean isEmpty() {
        return count == 0;
    }

    void add(int value) {
        if (count == values.length) {
            throw new IllegalStateException("a queue of " + count + " values is full");
        }
        values[(first + count++) % values.length] = value;
    }

    int remove() {
        int value = values[first];
        first = (first + 1) % values.length;
        count--;
        return value;
    }
}
