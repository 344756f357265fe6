package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CachePoolTest {
    private static final int ROW = 52;
    private static final int LAYERS = 3;
    // 64 rows of 52 bytes are 52 cache lines exactly.
    private static final long PAGE = 64L * ROW * LAYERS;

    @Test
    void rowsOfAllLayersAndPositionsLieApart() {
        try (CachePool pool = new CachePool(LAYERS, ROW, 1 << 20)) {
            CachePool.Sequence one = pool.open(200);
            CachePool.Sequence two = pool.open(200);
            one.reserve(150);
            two.reserve(150);
            Set<Long> seen = new HashSet<>();
            for (CachePool.Sequence sequence : new CachePool.Sequence[] {one, two}) {
                for (int position = 0; position < 150; position++) {
                    MemorySegment page = sequence.page(position);
                    for (int layer = 0; layer < LAYERS; layer++) {
                        long at = sequence.offset(layer, position);
                        assertTrue(at >= 0 && at + ROW <= page.byteSize());
                        assertEquals(0, (page.address() + sequence.offset(layer, 0)) % 64);
                        for (int i = 0; i < ROW; i++) {
                            assertTrue(seen.add(page.address() + at + i));
                        }
                    }
                }
            }
        }
    }

    @Test
    void layersOfAnOddRowStartOnACacheLine() {
        try (CachePool pool = new CachePool(2, 3, 1 << 20)) {
            CachePool.Sequence sequence = pool.open(64);
            sequence.reserve(1);
            assertEquals(192, sequence.offset(1, 0));
            assertEquals(192 + 63 * 3, sequence.offset(1, 63));
            assertEquals(384, sequence.page(0).byteSize());
            assertEquals(384, pool.bytesFor(1));
            assertEquals(384, pool.bytesFor(64));
            assertEquals(768, pool.bytesFor(65));
            assertEquals(0, pool.bytesFor(0));
        }
    }

    @Test
    void reservingKeepsContentAndLength() {
        try (CachePool pool = new CachePool(LAYERS, ROW, 1 << 20)) {
            CachePool.Sequence sequence = pool.open(300);
            sequence.reserve(10);
            assertEquals(0, sequence.length());
            sequence.page(5).set(ValueLayout.JAVA_BYTE, sequence.offset(2, 5), (byte) 42);
            sequence.resize(10);
            MemorySegment first = sequence.page(5);
            sequence.reserve(300);
            assertEquals(10, sequence.length());
            assertSame(first, sequence.page(5));
            assertEquals(42, sequence.page(5).get(ValueLayout.JAVA_BYTE, sequence.offset(2, 5)));
        }
    }

    @Test
    void pagesPastTheEndAreFreedAndReused() {
        try (CachePool pool = new CachePool(LAYERS, ROW, 3 * PAGE)) {
            CachePool.Sequence one = pool.open(192);
            one.reserve(192);
            one.resize(192);
            Set<Long> pages = Set.of(
                    one.page(0).address(), one.page(64).address(), one.page(128).address());
            one.resize(65);
            assertEquals(65, one.length());
            CachePool.Sequence two = pool.open(64);
            two.reserve(64);
            assertTrue(pages.contains(two.page(0).address()));
            one.resize(64);
            CachePool.Sequence three = pool.open(64);
            three.reserve(1);
            assertTrue(pages.contains(three.page(0).address()));
            one.close();
            two.close();
            three.close();
            CachePool.Sequence four = pool.open(192);
            four.reserve(192);
            assertEquals(
                    pages,
                    Set.of(
                            four.page(0).address(),
                            four.page(64).address(),
                            four.page(128).address()));
        }
    }

    @Test
    void anExhaustedPoolSaysSoAndRecovers() {
        // Not quite three pages.
        try (CachePool pool = new CachePool(LAYERS, ROW, 3 * PAGE - 1)) {
            CachePool.Sequence one = pool.open(64);
            one.reserve(64);
            CachePool.Sequence two = pool.open(640);
            InsufficientMemoryException e = assertThrows(InsufficientMemoryException.class, () -> two.reserve(128));
            assertTrue(e.getMessage().contains("128 positions"), e.getMessage());
            assertTrue(e.getMessage().contains("close sessions"), e.getMessage());
            one.close();
            two.reserve(128);
            two.resize(128);
            assertEquals(128, two.length());
        }
    }

    @Test
    void theCapacityIsKept() {
        try (CachePool pool = new CachePool(LAYERS, ROW, 1 << 20)) {
            CachePool.Sequence sequence = pool.open(100);
            assertEquals(100, sequence.capacity());
            sequence.reserve(100);
            ContextOverflowException e = assertThrows(ContextOverflowException.class, () -> sequence.reserve(101));
            assertTrue(e.getMessage().contains("100") && e.getMessage().contains("101"), e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> sequence.resize(101));
            assertThrows(IllegalArgumentException.class, () -> sequence.resize(-1));
        }
    }

    @Test
    void closeFreesAllAndIsIdempotent() {
        CachePool pool = new CachePool(LAYERS, ROW, 1 << 20);
        CachePool.Sequence sequence = pool.open(100);
        sequence.reserve(1);
        MemorySegment page = sequence.page(0);
        pool.close();
        pool.close();
        assertThrows(IllegalStateException.class, () -> page.get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, () -> sequence.reserve(100));
        sequence.close();
        assertEquals(0, sequence.length());
    }
}
