package dev.remora.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TileLayoutTest {
    private static final int[] ROWS = {1, 2, 63, 64, 65, 130};
    private static final int[] COLS = {1, 2, 3, 4, 5, 7, 16, 17, 63, 64, 65, 129};

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void everyElementIsWhereTheOffsetSays(int elementBytes) {
        for (int rows : ROWS) {
            for (int cols : COLS) {
                try (Arena arena = Arena.ofConfined()) {
                    int start = 3;
                    MemorySegment source = random(start + rows * cols * elementBytes, arena);
                    MemorySegment tiles = TileLayout.pack(
                            source, start, rows, cols, elementBytes, arena, TileLayout.WordCheck.NONE, (r, b) -> null);
                    assertEquals(TileLayout.bytes(rows, cols, elementBytes), tiles.byteSize());
                    assertEquals(0, tiles.address() % 64);
                    boolean[] used = new boolean[(int) tiles.byteSize()];
                    for (int row = 0; row < rows; row++) {
                        for (int col = 0; col < cols; col++) {
                            long from = start + ((long) row * cols + col) * elementBytes;
                            long to = TileLayout.offset(row, col, cols, elementBytes);
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
    @ValueSource(ints = {1, 2, 4})
    void theTransposeIsTheTranspose(int elementBytes) {
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
                    byte[] expected = TileLayout.pack(
                                    turned,
                                    0,
                                    rows,
                                    cols,
                                    elementBytes,
                                    arena,
                                    TileLayout.WordCheck.NONE,
                                    (r, b) -> null)
                            .toArray(ValueLayout.JAVA_BYTE);
                    byte[] actual = TileLayout.packTransposed(source, start, rows, cols, elementBytes, arena)
                            .toArray(ValueLayout.JAVA_BYTE);
                    assertArrayEquals(expected, actual, rows + " x " + cols);
                }
            }
        }
    }

    @Test
    void everyWordIsCheckedAndTheBadOneNamed() {
        int rows = 66;
        int cols = 75;
        for (int[] bad : new int[][] {{0, 0}, {63, 31}, {64, 72}, {65, 74}}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment source = arena.allocate((long) rows * cols);
                source.set(ValueLayout.JAVA_BYTE, (long) bad[0] * cols + bad[1], (byte) 1);
                List<Integer> row = new ArrayList<>();
                List<Long> at = new ArrayList<>();
                assertThrows(
                        IllegalStateException.class,
                        () -> TileLayout.pack(source, 0, rows, cols, 1, arena, word -> word == 0, (r, b) -> {
                            row.add(r);
                            at.add(b);
                            return new IllegalStateException();
                        }));
                assertEquals(List.of(bad[0]), row);
                assertTrue(bad[1] >= at.get(0) && bad[1] < at.get(0) + 64, at + " for column " + bad[1]);
            }
        }
    }

    @Test
    void sizesBeyondTwoGigabytesAreCountedInLong() {
        assertEquals(256L * 2048 * 7168 * 4, TileLayout.bytes(256 * 2048, 7168, 4));
        assertEquals((256L * 2048 * 7168 - 1) * 4, TileLayout.offset(256 * 2048 - 1, 7167, 7168, 4));
    }

    private static MemorySegment random(int bytes, Arena arena) {
        byte[] values = new byte[bytes];
        new Random(bytes).nextBytes(values);
        MemorySegment segment = arena.allocate(bytes);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes);
        return segment;
    }
}
