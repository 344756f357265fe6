package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class BatchTest {
    @Test
    void segmentsFollowTheirSequences() {
        try (CachePool pool = new CachePool(1, 4, 1 << 20)) {
            CachePool.Sequence one = pool.open(100);
            CachePool.Sequence two = pool.open(100);
            two.reserve(7);
            two.resize(7);
            Batch batch = new Batch(6);
            batch.add(one, new int[] {10, 11, 12, 13}, 1, 3);
            batch.add(two, new int[] {20, 21}, 0, 2);
            assertEquals(5, batch.rows());
            assertEquals(2, batch.segments());
            assertEquals(0, batch.segmentStart(0));
            assertEquals(3, batch.segmentStart(1));
            assertEquals(5, batch.segmentStart(2));
            assertSame(one, batch.sequence(0));
            assertSame(two, batch.sequence(1));
            int[] tokens = {11, 12, 13, 20, 21};
            int[] positions = {0, 1, 2, 7, 8};
            for (int row = 0; row < 5; row++) {
                assertEquals(tokens[row], batch.token(row));
                assertEquals(positions[row], batch.position(row));
            }
            long step = batch.step();
            batch.clear();
            assertEquals(0, batch.rows());
            assertEquals(0, batch.segments());
            assertEquals(step + 1, batch.step());
            batch.add(two, new int[] {30}, 0, 1);
            assertEquals(30, batch.token(0));
            assertEquals(7, batch.position(0));
            assertEquals(1, batch.segmentStart(1));
        }
    }

    @Test
    void moreRowsThanItsCapacityAreRefused() {
        try (CachePool pool = new CachePool(1, 4, 1 << 20)) {
            Batch batch = new Batch(2);
            CachePool.Sequence sequence = pool.open(10);
            assertThrows(IndexOutOfBoundsException.class, () -> batch.add(sequence, new int[3], 0, 3));
            assertEquals(0, batch.rows());
        }
    }
}
