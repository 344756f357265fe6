package dev.remora.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.core.Allocation;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.TestData;
import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("widths")
class TiledWeightTest {
    private static final int[] BATCHES = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17};
    private static final int X_COLUMN = 3;
    private static final int Y_COLUMN = 7;
    private static final float GUARD = 12345f;

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "64, 64", "65, 63", "72, 160", "128, 129", "160, 311", "311, 128", "130, 576"})
    void isTheProductInEveryFormatAndBatch(int rows, int cols) {
        for (DenseFormat format : DenseFormat.values()) {
            try (Arena arena = Arena.ofConfined()) {
                DenseMatrix stored = TestData.matrix(rows, format, rows, cols, arena);
                Weight weight = stored.pack(arena);
                assertEquals(stored.packedBytes(), weight.bytes());
                Rows x = TestData.rows(cols, 17, cols + X_COLUMN + 2);
                Rows all = multiply(weight, x);
                assertProduct(stored, x, all);
                for (int n : BATCHES) {
                    // The last n rows, so that a row sits at another place of its group of four.
                    Rows part = x.selection(n);
                    part.select(x, 17 - n, n);
                    Rows y = multiply(weight, part);
                    for (int row = 0; row < n; row++) {
                        assertArrayEquals(values(all, 17 - n + row), values(y, row), format + ", batch of " + n);
                    }
                }
            }
        }
    }

    private static void assertProduct(DenseMatrix stored, Rows x, Rows y) {
        float[] w = new float[stored.cols()];
        for (int r = 0; r < stored.rows(); r++) {
            stored.dequantizeRow(r, w, 0);
            for (int row = 0; row < x.count(); row++) {
                double sum = 0;
                double magnitude = 0;
                for (int c = 0; c < w.length; c++) {
                    double term = (double) w[c] * x.data()[x.offset(row) + X_COLUMN + c];
                    sum += term;
                    magnitude += Math.abs(term);
                }
                double bound = (w.length + 1) * 0x1p-24 * magnitude;
                assertEquals(sum, y.data()[y.offset(row) + Y_COLUMN + r], bound, "row " + row + ", output " + r);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 5", "63, 64", "65, 129", "100, 160"})
    void aTileThatSticksOutWritesNothingOutside(int rows, int cols) {
        try (Arena arena = Arena.ofConfined()) {
            Weight weight =
                    TestData.matrix(1, DenseFormat.BF16, rows, cols, arena).pack(arena);
            for (int n : BATCHES) {
                Rows y = multiply(weight, TestData.rows(2, n, cols + X_COLUMN));
                for (int row = 0; row < n; row++) {
                    float[] line = values(y, row);
                    for (int i = 0; i < line.length; i++) {
                        boolean inside = i >= Y_COLUMN && i < Y_COLUMN + rows;
                        assertEquals(!inside, line[i] == GUARD, "column " + i);
                    }
                }
            }
        }
    }

    @Test
    void oneTileWritesItsColumnsOnly() {
        try (Arena arena = Arena.ofConfined()) {
            Weight weight = TestData.matrix(1, DenseFormat.F32, 200, 33, arena).pack(arena);
            for (int n : BATCHES) {
                Rows x = TestData.rows(2, n, 33);
                Rows y = new Rows(n, 200);
                y.resize(n);
                Arrays.fill(y.data(), GUARD);
                weight.multiply(x, 0, y, 0, 1, new Scratch(0, n));
                for (int i = 0; i < y.data().length; i++) {
                    boolean inside = i % 200 >= 64 && i % 200 < 128;
                    assertEquals(!inside, y.data()[i] == GUARD, "index " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DenseFormat.class)
    void packedRowsDecodeToTheStoredOnes(DenseFormat format) {
        try (Arena arena = Arena.ofConfined()) {
            DenseMatrix stored = TestData.matrix(5, format, 130, 37, arena);
            assertSameRows(stored, stored.pack(arena), 0);
            assertSameRows(stored, stored.rows(60, 70).pack(arena), 60);
            DenseMatrix turned = stored.rows(60, 70).transposed();
            Weight packed = turned.pack(arena);
            assertEquals(37, packed.rows());
            assertEquals(70, packed.cols());
            assertSameRows(turned, packed, 0);
            float[] expected = new float[37];
            float[] column = new float[70];
            for (int row = 0; row < 70; row++) {
                stored.dequantizeRow(60 + row, expected, 0);
                for (int col = 0; col < 37; col++) {
                    packed.dequantizeRow(col, column, 0);
                    assertEquals(expected[col], column[row]);
                }
            }
        }
    }

    private static void assertSameRows(DenseMatrix stored, Weight packed, int from) {
        float[] expected = new float[stored.cols() + 2];
        float[] actual = new float[stored.cols() + 2];
        for (int row = 0; row < packed.rows(); row++) {
            stored.dequantizeRow(from + row, expected, 1);
            packed.dequantizeRow(row, actual, 1);
            assertArrayEquals(expected, actual, "row " + row);
        }
    }

    @Test
    void misuseIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            DenseMatrix matrix = TestData.matrix(5, DenseFormat.F32, 6, 5, arena);
            assertThrows(IndexOutOfBoundsException.class, () -> matrix.rows(4, 3));
            assertThrows(IndexOutOfBoundsException.class, () -> matrix.dequantizeRow(6, new float[5], 0));
            assertThrows(
                    UnsupportedOperationException.class,
                    () -> matrix.transposed().rows(0, 1));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new DenseMatrix("w", DenseFormat.F32, arena.allocate(4 * 29), 6, 5));
        }
    }

    @ParameterizedTest
    @EnumSource(DenseFormat.class)
    void allocatesNothing(DenseFormat format) {
        try (Arena arena = Arena.ofShared()) {
            Weight weight = TestData.matrix(1, format, 70, 130, arena).pack(arena);
            for (int n : new int[] {1, 2, 3, 4, 5, 6, 8, 13}) {
                Rows x = TestData.rows(2, n, 130);
                Rows y = new Rows(n, 70);
                y.resize(n);
                Scratch scratch = new Scratch(0, n);
                Allocation.assertNone(format + ", " + n + " rows", () -> {
                    weight.multiply(x, 0, y, 0, 0, scratch);
                    weight.multiply(x, 0, y, 0, 1, scratch);
                });
            }
        }
    }

    /** All tiles, into rows with guards around the result. */
    private static Rows multiply(Weight weight, Rows x) {
        Rows y = new Rows(x.count(), weight.rows() + Y_COLUMN + 4);
        y.resize(x.count());
        Arrays.fill(y.data(), GUARD);
        Scratch scratch = new Scratch(0, x.count());
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(x, X_COLUMN, y, Y_COLUMN, tile, scratch);
        }
        return y;
    }

    @ParameterizedTest
    @CsvSource({"64, 64", "130, 129", "256, 311", "300, 1100"})
    void severalTilesAtOnceGiveTheBitsOfEachAlone(int rows, int cols) {
        for (DenseFormat format : DenseFormat.values()) {
            try (Arena arena = Arena.ofConfined()) {
                Weight weight = TestData.matrix(3, format, rows, cols, arena).pack(arena);
                for (int n : new int[] {1, 5, 64, 67}) {
                    Rows x = TestData.rows(4, n, cols + X_COLUMN);
                    Rows expected = multiply(weight, x);
                    Rows actual = new Rows(n, weight.rows() + Y_COLUMN + 4);
                    actual.resize(n);
                    Arrays.fill(actual.data(), GUARD);
                    Scratch scratch = new Scratch(0, n);
                    for (int tile = 0; tile < weight.tiles(); tile += 3) {
                        int count = Math.min(3, weight.tiles() - tile);
                        weight.multiplyTiles(x, X_COLUMN, actual, Y_COLUMN, tile, count, scratch);
                    }
                    assertArrayEquals(expected.data(), actual.data(), format + ", " + n + " rows");
                }
            }
        }
    }

    private static float[] values(Rows rows, int row) {
        return Arrays.copyOfRange(rows.data(), rows.offset(row), rows.offset(row) + rows.width());
    }
}
