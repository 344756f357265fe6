package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class RowsTest {
    @Test
    void selectionsShareStorageInAnyOrder() {
        Rows rows = new Rows(5, 3);
        rows.resize(5);
        assertEquals(15, rows.data().length);
        Rows selection = rows.selection(4);
        assertEquals(0, selection.count());
        assertEquals(4, selection.capacity());
        assertEquals(3, selection.width());
        assertSame(rows.data(), selection.data());
        selection.select(rows, 2, 3);
        assertEquals(3, selection.count());
        assertEquals(6, selection.offset(0));
        assertEquals(12, selection.offset(2));
        selection.append(rows, 0);
        assertEquals(4, selection.count());
        assertEquals(0, selection.offset(3));
        Rows part = rows.selection(2);
        part.select(selection, 2, 2);
        assertEquals(12, part.offset(0));
        assertEquals(0, part.offset(1));
    }

    @Test
    void longRowsLieAnOddNumberOfCacheLinesApart() {
        for (int width : new int[] {1024, 1408, 2048, 10_944}) {
            Rows rows = new Rows(3, width);
            int distance = rows.offset(1);
            assertEquals(16, distance % 32, "width " + width);
            assertEquals(2 * distance, rows.offset(2));
            assertEquals(3 * distance, rows.data().length);
            assertEquals(3L * (distance * 4 + 4), Rows.bytes(3, width));
        }
    }

    @Test
    void sizesAreChecked() {
        Rows rows = new Rows(5, 3);
        assertThrows(IllegalArgumentException.class, () -> rows.resize(6));
        assertThrows(IllegalArgumentException.class, () -> rows.resize(-1));
        assertThrows(ArithmeticException.class, () -> new Rows(1 << 16, 1 << 16));
    }
}
