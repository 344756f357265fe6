package dev.remora.moe;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import java.util.Arrays;

/** Batches of sequences that cache nothing. */
final class Batches {
    private Batches() {}

    /** One sequence for each number of rows, from its beginning. */
    static Batch of(int... rows) {
        Batch batch = new Batch(Arrays.stream(rows).sum());
        batch.clear();
        try (CachePool pool = new CachePool(1, 1, 0)) {
            for (int count : rows) {
                if (count > 0) {
                    batch.add(pool.open(count), new int[count], 0, count);
                }
            }
        }
        return batch;
    }

    /** One row, at a position of its sequence. */
    static Batch decodingAt(int position) {
        Batch batch = new Batch(1);
        batch.clear();
        try (CachePool pool = new CachePool(1, 1, 0);
                CachePool.Sequence sequence = pool.open(position + 1)) {
            sequence.resize(position);
            batch.add(sequence, new int[1], 0, 1);
        }
        return batch;
    }
}
