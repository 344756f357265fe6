package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8MatrixTest {
    @ParameterizedTest
    @CsvSource({
        // rows, cols, block rows, block columns, first row, rows of the slice
        "300, 260, 128, 128, 0, 300",
        "600, 70, 128, 128, 112, 112",
        "600, 70, 128, 128, 448, 64",
        "300, 33, 128, 128, 127, 2",
        "201, 303, 100, 60, 99, 102",
        "20, 259, 1, 128, 3, 15",
        "70, 101, 32, 96, 31, 34",
    })
    void rowsAreWhatTheDefinitionSays(int rows, int cols, int blockRows, int blockCols, int from, int count) {
        Fp8Fixture fixture = new Fp8Fixture(rows, rows, cols, blockRows, blockCols);
        Fp8Matrix slice = fixture.matrix.rows(from, count);
        StoredMatrix turned = slice.transposed();
        assertEquals(count, slice.rows());
        assertEquals(cols, slice.cols());
        assertEquals(cols, turned.rows());
        assertEquals(count, turned.cols());
        assertEquals("F8_E4M3", turned.format());
        try (Arena arena = Arena.ofConfined()) {
            for (int row = 0; row < count; row++) {
                float[] expected = new float[cols + 2];
                for (int col = 0; col < cols; col++) {
                    expected[col + 1] = (float) fixture.at(from + row, col);
                }
                assertRow(expected, slice, row, arena);
            }
            for (int col = 0; col < cols; col += 7) {
                float[] expected = new float[count + 2];
                for (int row = 0; row < count; row++) {
                    expected[row + 1] = (float) fixture.at(from + row, col);
                }
                assertRow(expected, turned, col, arena);
            }
        }
    }

    private static void assertRow(float[] expected, StoredMatrix matrix, int row, Arena arena) {
        float[] stored = new float[expected.length];
        matrix.dequantizeRow(row, stored, 1);
        assertArrayEquals(expected, stored, "stored row " + row);
        if (row % 9 == 0) {
            float[] packed = new float[expected.length];
            matrix.pack(arena).dequantizeRow(row, packed, 1);
            assertArrayEquals(expected, packed, "packed row " + row);
            float[] copied = new float[expected.length];
            matrix.copy(arena).dequantizeRow(row, copied, 1);
            assertArrayEquals(expected, copied, "copied row " + row);
        }
    }

    @Test
    void turningTwiceIsNothing() {
        Fp8Fixture fixture = new Fp8Fixture(1, 70, 130, 128, 128);
        StoredMatrix twice = fixture.matrix.transposed().transposed();
        float[] expected = new float[130];
        float[] actual = new float[130];
        fixture.matrix.dequantizeRow(69, expected, 0);
        twice.dequantizeRow(69, actual, 0);
        assertArrayEquals(expected, actual);
        assertEquals(70, twice.rows(0, 70).rows());
    }

    @ParameterizedTest
    @CsvSource({
        // row and column of the bad code
        "0, 0",
        "0, 63",
        "0, 64",
        "67, 100",
        "129, 127",
        "129, 128",
        "129, 130",
        "64, 129",
        "63, 130",
    })
    void codesThatAreNoNumbersAreRefused(int row, int col) {
        // 131 columns: the last word of a row is a partial one.
        for (byte bad : new byte[] {0x7f, (byte) 0xff}) {
            Fp8Fixture fixture = new Fp8Fixture(2, 130, 131, 128, 128);
            fixture.codes[row * 131 + col] = bad;
            try (Arena arena = Arena.ofConfined()) {
                assertRefused(fixture, row, col, () -> fixture.matrix.pack(arena));
                assertRefused(fixture, row, col, () -> fixture.matrix.copy(arena));
                assertRefused(
                        fixture, row, col, () -> fixture.matrix.transposed().pack(arena));
                int from = Math.max(0, row - 1);
                Fp8Matrix slice = fixture.matrix.rows(from, 130 - from);
                assertRefused(fixture, row, col, () -> slice.pack(arena));
                assertRefused(fixture, row, col, () -> slice.copy(arena));
                assertRefused(fixture, row, col, () -> slice.transposed().pack(arena));
                if (row > 0) {
                    // What lies outside of a slice is none of its business.
                    assertEquals(row, fixture.matrix.rows(0, row).pack(arena).rows());
                }
            }
        }
    }

    private static void assertRefused(Fp8Fixture fixture, int row, int col, Executable action) {
        CheckpointException e = assertThrows(CheckpointException.class, action);
        assertTrue(e.getMessage().startsWith(fixture.name + ": "), e.getMessage());
        assertTrue(e.getMessage().contains(" in row " + row + ", column " + col + ";"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        // rows, cols, block, first row, rows of the slice, runs of the slice, factors of a tile and run, runs of its
        // transpose
        "300, 260, 128, 0, 300, 3, 1, 3",
        "600, 130, 128, 112, 112, 2, 64, 2",
        "600, 129, 128, 448, 64, 2, 1, 1",
        "600, 512, 512, 1, 599, 4, 64, 5",
    })
    void packingTakesTheBytesThatWereAnnounced(
            int rows, int cols, int block, int from, int count, int runs, int lanes, int turnedRuns) {
        Fp8Matrix slice = new Fp8Fixture(4, rows, cols, block, block).matrix.rows(from, count);
        assertAllocates(slice, runs, lanes);
        assertAllocates(slice.transposed(), turnedRuns, 1);
    }

    private static void assertAllocates(StoredMatrix matrix, int runs, int lanes) {
        try (CountingArena arena = new CountingArena()) {
            Weight weight = matrix.pack(arena);
            long tiles = Math.ceilDiv(matrix.rows(), 64);
            long codes = tiles * 64 * (Math.ceilDiv(matrix.cols(), 4) * 4L);
            assertEquals(codes + tiles * lanes * runs * Float.BYTES, arena.allocated);
            assertEquals(arena.allocated, matrix.packedBytes());
            assertEquals(matrix.packedBytes(), weight.bytes());
            arena.allocated = 0;
            StoredMatrix copy = matrix.copy(arena);
            assertEquals(matrix.storedBytes(), arena.allocated);
            assertEquals(matrix.storedBytes(), copy.storedBytes());
        }
    }

    @Test
    void misuseIsRefused() {
        Fp8Fixture fixture = new Fp8Fixture(3, 130, 130, 128, 128);
        BlockScales scales = new BlockScales("s", new float[4], 128, 128, 130, 130);
        MemorySegment tooShort = MemorySegment.ofArray(new byte[130 * 130 - 1]);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> new Fp8Matrix(fixture.name, tooShort, scales, 130, 130));
        assertTrue(e.getMessage().contains(fixture.name + ": 16899 bytes"), e.getMessage());
        assertThrows(IndexOutOfBoundsException.class, () -> fixture.matrix.rows(100, 31));
        assertThrows(IndexOutOfBoundsException.class, () -> fixture.matrix.rows(-1, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> fixture.matrix.dequantizeRow(130, new float[130], 0));
        assertThrows(
                UnsupportedOperationException.class,
                () -> fixture.matrix.transposed().rows(0, 1));
    }

    /** A checkpoint's file may start anywhere in memory. */
    @Test
    void codesNeedNoAlignment() {
        byte[] codes = Fp8Fixture.codes(new Random(5), 65 * 9 + 3);
        float[] one = {1f};
        BlockScales scales = new BlockScales("s", one, 128, 128, 65, 9);
        Fp8Matrix shifted = new Fp8Matrix("w", MemorySegment.ofArray(codes).asSlice(3), scales, 65, 9);
        Fp8Matrix straight =
                new Fp8Matrix("w", MemorySegment.ofArray(Arrays.copyOfRange(codes, 3, codes.length)), scales, 65, 9);
        try (Arena arena = Arena.ofConfined()) {
            for (int row = 0; row < 65; row++) {
                float[] expected = new float[9];
                float[] actual = new float[9];
                straight.dequantizeRow(row, expected, 0);
                shifted.pack(arena).dequantizeRow(row, actual, 0);
                assertArrayEquals(expected, actual);
            }
        }
    }

    private static final class CountingArena implements Arena {
        private final Arena arena = Arena.ofConfined();
        private long allocated;

        @Override
        public MemorySegment allocate(long byteSize, long byteAlignment) {
            allocated += byteSize;
            return arena.allocate(byteSize, byteAlignment);
        }

        @Override
        public MemorySegment.Scope scope() {
            return arena.scope();
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
