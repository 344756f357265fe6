package dev.remora.bench.support;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;

/** Batches for layers that read no cache. */
public final class Steps {
    private Steps() {}

    /** One sequence with all rows. */
    public static Batch prompt(int rows) {
        return batch(1, rows);
    }

    /** As many sequences as rows. */
    public static Batch decoding(int rows) {
        return batch(rows, 1);
    }

    private static Batch batch(int sequences, int rows) {
        Batch batch = new Batch(sequences * rows);
        batch.clear();
        try (CachePool pool = new CachePool(1, 1, 0)) {
            for (int i = 0; i < sequences; i++) {
                batch.add(pool.open(rows), new int[rows], 0, rows);
            }
        }
        return batch;
    }
}
