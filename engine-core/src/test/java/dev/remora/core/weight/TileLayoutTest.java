package dev.remora.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TileLayoutTest {
    private static final int[] ROWS = {1, 2, 63, 64, 65, 130};
    private static final int[] COLS = {1, 2, 3, 4, 5, 7, 16, 17, 63, 64, 65, 129};

    @ParameterizedTest
    @CsvSource({"1, 64", "2, 64", "4, 64", "1, 16", "2, 16", "4, 16", "1, 32"})
    void everyElementIsWhereTheOffsetSays(int elementBytes, int group) {
        for (int rows : ROWS) {
            for (int cols : COLS) {
                try (Arena arena = Arena.ofConfined()) {
                    int start = 3;
                    MemorySegment source = random(start + rows * cols * elementBytes, arena);
                    MemorySegment tiles = pack(source, start, rows, cols, elementBytes, group, arena);
                    boolean[] used = new boolean[(int) tiles.byteSize()];
                    for (int row = 0; row < rows; row++) {
                        for (int col = 0; col < cols; col++) {
                            long from = start + ((long) row * cols + col) * elementBytes;
                            long to = TileLayout.offset(row, col, cols, elementBytes, group);
                            assertEquals(
                                    -1,
                                    source.asSlice(from, elementBytes).mismatch(tiles.asSlice(to, elementBytes)),
                                    row + ", " + col);
                            for (int i = 0; i < elementBytes; i++) {
                                assertTrue(!used[(int) to + i], "two elements at " + to);
                                used[(int) to + i] = true;
                            }
                        }
                    }
                    assertPaddingIsZero(tiles, used);
                }
            }
        }
    }

    private static void assertPaddingIsZero(MemorySegment tiles, boolean[] used) {
        for (int i = 0; i < used.length; i++) {
            if (!used[i]) {
                assertEquals(0, tiles.get(ValueLayout.JAVA_BYTE, i), "byte " + i);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 64", "2, 64", "4, 64", "1, 16", "2, 16", "4, 16", "1, 32"})
    void theTransposeIsTheTranspose(int elementBytes, int group) {
        for (int rows : ROWS) {
            for (int cols : COLS) {
                try (Arena arena = Arena.ofConfined()) {
                    int start = 5;
                    MemorySegment source = random(start + rows * cols * elementBytes, arena);
                    MemorySegment turned = arena.allocate((long) rows * cols * elementBytes);
                    for (int row = 0; row < rows; row++) {
                        for (int col = 0; col < cols; col++) {
                            MemorySegment.copy(
                                    source,
                                    start + ((long) col * rows + row) * elementBytes,
                                    turned,
                                    ((long) row * cols + col) * elementBytes,
                                    elementBytes);
                        }
                    }
                    byte[] expected = pack(turned, 0, rows, cols, elementBytes, group, arena)
                            .toArray(ValueLayout.JAVA_BYTE);
                    MemorySegment actual = arena.allocate(TileLayout.bytes(rows, cols, elementBytes));
                    for (int tile = tiles(rows) - 1; tile >= 0; tile--) {
                        TileLayout.packTransposed(
                                source, start, rows, cols, elementBytes, group, actual, tile, tile + 1);
                    }
                    assertArrayEquals(expected, actual.toArray(ValueLayout.JAVA_BYTE), rows + " x " + cols);
                }
            }
        }
    }

    /** Rows longer than a panel: pieces of a tile must meet without a seam. */
    @ParameterizedTest
    @CsvSource({"4095, 64", "4096, 64", "4097, 64", "4100, 64", "8193, 64", "4095, 16", "4100, 16", "8193, 16"})
    void longRowsAreCopiedWhole(int cols, int group) {
        int rows = 67;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = random(rows * cols, arena);
            MemorySegment tiles = pack(source, 0, rows, cols, 1, group, arena);
            for (int row = 0; row < rows; row++) {
                for (int col = 0; col < cols; col++) {
                    assertEquals(
                            source.get(ValueLayout.JAVA_BYTE, (long) row * cols + col),
                            tiles.get(ValueLayout.JAVA_BYTE, TileLayout.offset(row, col, cols, 1, group)),
                            row + ", " + col);
                }
            }
        }
    }

    @Test
    void groupsOf64RowsAreTheDenseLayout() {
        for (int row = 0; row < 130; row++) {
            for (int col = 0; col < 9; col++) {
                assertEquals(TileLayout.offset(row, col, 9, 2), TileLayout.offset(row, col, 9, 2, 64));
                // [tiles][5 words][64 rows][2 elements]
                long words = (row / 64 * 5L + col / 2) * 64 + row % 64;
                assertEquals(words * 4 + col % 2 * 2L, TileLayout.offset(row, col, 9, 2));
                // [tiles][4 groups][5 words][16 rows][2 elements]
                long grouped = (row / 16 * 5L + col / 2) * 16 + row % 16;
                assertEquals(grouped * 4 + col % 2 * 2L, TileLayout.offset(row, col, 9, 2, 16));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 64})
    void someTilesLeaveTheOthersAlone(int group) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = random(200 * 5, arena);
            MemorySegment whole = pack(source, 0, 200, 5, 1, group, arena);
            MemorySegment second = arena.allocate(whole.byteSize());
            TileLayout.pack(source, 0, 200, 5, 1, group, CodeCheck.NONE, second, 1, 2);
            long tile = TileLayout.tileBytes(5, 1);
            assertEquals(-1, whole.asSlice(tile, tile).mismatch(second.asSlice(tile, tile)));
            second.asSlice(tile, tile).fill((byte) 0);
            assertEquals(-1, second.mismatch(arena.allocate(whole.byteSize())));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 64})
    void everyCodeIsCheckedAndTheBadOneNamed(int group) {
        CodeCheck seven = new CodeCheck(0x0707070707070707L, 0x0101010101010101L);
        int rows = 66;
        int cols = 4100;
        for (int[] bad : new int[][] {{0, 0}, {63, 31}, {64, 72}, {65, 74}, {65, 4095}, {1, 4096}, {65, 4099}}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment source = arena.allocate((long) rows * cols);
                long place = (long) bad[0] * cols + bad[1];
                MemorySegment target = arena.allocate(TileLayout.bytes(rows, cols, 1));
                assertEquals(-1, TileLayout.pack(source, 0, rows, cols, 1, group, seven, target, 0, 2));
                source.set(ValueLayout.JAVA_BYTE, place, (byte) 7);
                long found = TileLayout.pack(source, 0, rows, cols, 1, group, seven, target, 0, 2);
                assertTrue(found <= place && place < found + 8, found + " for " + place);
                int tile = bad[0] / 64;
                assertEquals(-1, TileLayout.pack(source, 0, rows, cols, 1, group, seven, target, 1 - tile, 2 - tile));
            }
        }
    }

    @Test
    void sizesBeyondTwoGigabytesAreCountedInLong() {
        assertEquals(256L * 2048 * 7168 * 4, TileLayout.bytes(256 * 2048, 7168, 4));
        assertEquals((256L * 2048 * 7168 - 1) * 4, TileLayout.offset(256 * 2048 - 1, 7167, 7168, 4));
    }

    /** Tile by tile, the last first. */
    private static MemorySegment pack(
            MemorySegment source, long start, int rows, int cols, int elementBytes, int group, Arena arena) {
        MemorySegment target = arena.allocate(TileLayout.bytes(rows, cols, elementBytes), 64);
        for (int tile = tiles(rows) - 1; tile >= 0; tile--) {
            assertEquals(
                    -1,
                    TileLayout.pack(
                            source, start, rows, cols, elementBytes, group, CodeCheck.NONE, target, tile, tile + 1));
        }
        return target;
    }

    private static int tiles(int rows) {
        return (rows + 63) / 64;
    }

    private static MemorySegment random(int bytes, Arena arena) {
        byte[] values = new byte[bytes];
        new Random(bytes).nextBytes(values);
        MemorySegment segment = arena.allocate(bytes);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes);
        return segment;
    }
}
