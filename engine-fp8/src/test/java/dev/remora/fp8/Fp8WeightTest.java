package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("widths")
class Fp8WeightTest {
    private static final int[] ROW_COUNTS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 17};

    @ParameterizedTest
    @CsvSource({
        // rows, cols, block rows, block columns
        "64, 128, 128, 128",
        "1, 1, 128, 128",
        "65, 3, 128, 128",
        "300, 260, 128, 128",
        "130, 129, 128, 128",
        "200, 300, 64, 128",
        "200, 300, 128, 64",
        "201, 303, 100, 60",
        "5, 259, 1, 128",
        "70, 200, 32, 96",
        "66, 700, 512, 512",
    })
    void productsAreWhatTheDefinitionSays(int rows, int cols, int blockRows, int blockCols) {
        Fp8Fixture fixture = new Fp8Fixture(rows + cols, rows, cols, blockRows, blockCols);
        assertProducts(fixture, fixture.matrix, 0, rows, false);
        assertProducts(fixture, fixture.matrix.transposed(), 0, rows, true);
    }

    @ParameterizedTest
    @CsvSource({
        // first row, rows: heads that cut through blocks of 128, and phases that are no multiples of a word
        "112, 112",
        "448, 64",
        "448, 152",
        "1, 127",
        "127, 2",
        "333, 77",
        "130, 130",
        "599, 1",
    })
    void slicesKeepTheirPlaceAmongTheBlocks(int from, int count) {
        Fp8Fixture fixture = new Fp8Fixture(from, 600, 200, 128, 128);
        Fp8Matrix slice = fixture.matrix.rows(from, count);
        assertProducts(fixture, slice, from, count, false);
        assertProducts(fixture, slice.transposed(), from, count, true);
        try (Arena arena = Arena.ofConfined()) {
            Rows x = Fp8Fixture.input(8, 3, 200);
            Rows whole = Fp8Fixture.multiply(fixture.matrix.pack(arena), x);
            Rows part = Fp8Fixture.multiply(slice.pack(arena), x);
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(
                        Arrays.copyOfRange(whole.data(), whole.offset(i) + from, whole.offset(i) + from + count),
                        row(part, i));
            }
        }
    }

    private static void assertProducts(
            Fp8Fixture fixture, StoredMatrix matrix, int from, int count, boolean transposed) {
        Rows x = Fp8Fixture.input(6, 17, matrix.cols());
        try (Arena arena = Arena.ofConfined()) {
            Weight weight = matrix.pack(arena);
            assertEquals(matrix.rows(), weight.rows());
            assertEquals(matrix.cols(), weight.cols());
            Rows y = Fp8Fixture.multiply(weight, x);
            for (int i : new int[] {0, 3, 16}) {
                for (int row = 0; row < matrix.rows(); row++) {
                    double sum = 0;
                    double magnitude = 0;
                    for (int col = 0; col < matrix.cols(); col++) {
                        double w = transposed ? fixture.at(from + col, row) : fixture.at(from + row, col);
                        double term = w * x.data()[x.offset(i) + col];
                        sum += term;
                        magnitude += Math.abs(term);
                    }
                    // Each of at most cols + runs operations in a chain rounds once, or twice without fused arithmetic.
                    double bound = (2 * matrix.cols() + 20) * 0x1p-24 * magnitude;
                    assertEquals(sum, y.data()[y.offset(i) + row], bound, "row " + row + " of product " + i);
                }
            }
            for (int n : ROW_COUNTS) {
                Rows few = new Rows(n, matrix.cols());
                few.resize(n);
                System.arraycopy(x.data(), 0, few.data(), 0, n * matrix.cols());
                Rows product = Fp8Fixture.multiply(weight, few);
                for (int i = 0; i < n; i++) {
                    assertArrayEquals(row(y, i), row(product, i), "row " + i + " of " + n);
                }
            }
            assertTrue(count > 0);
        }
    }

    /** The quick decoding scales its input; where that would not be exact, another takes its place. */
    @Test
    void extremeInputsHaveTheSameBitsAloneAndTogether() {
        Fp8Fixture fixture = new Fp8Fixture(4, 128, 512, 128, 128);
        byte[] normal = fixture.codes.clone();
        for (int i = 0; i < normal.length; i++) {
            normal[i] = (normal[i] & 0x78) == 0 ? 0x31 : normal[i];
        }
        Fp8Matrix quick = new Fp8Matrix("w", MemorySegment.ofArray(normal), fixture.scales(), 128, 512);
        try (Arena arena = Arena.ofConfined()) {
            for (Weight weight : new Weight[] {quick.pack(arena), fixture.matrix.pack(arena)}) {
                for (float factor : new float[] {1f, 0x1p-70f, 0x1p70f, 0x1p-126f, 0x1p120f, 0f, Float.NaN}) {
                    Rows x = Fp8Fixture.input(5, 9, 512);
                    for (int i = 0; i < 9 * 512; i += 3) {
                        // One row, and of the others some runs, keep ordinary inputs.
                        x.data()[i] *= i % 512 < 200 || i / 512 == 1 ? 1f : factor;
                    }
                    float[] expected = row(Fp8Fixture.multiply(weight, first(x, 1)), 0);
                    for (int n = 2; n <= 9; n++) {
                        assertArrayEquals(expected, row(Fp8Fixture.multiply(weight, first(x, n)), 0), n + " rows");
                    }
                    Rows all = Fp8Fixture.multiply(weight, x);
                    assertArrayEquals(row(all, 1), row(Fp8Fixture.multiply(weight, first(x, 2)), 1));
                }
            }
        }
    }

    /** Columns beside the product are neither read nor written. */
    @Test
    void aProductStaysInItsColumns() {
        Fp8Fixture fixture = new Fp8Fixture(7, 130, 70, 128, 128);
        try (Arena arena = Arena.ofConfined()) {
            Weight weight = fixture.matrix.pack(arena);
            for (int n : ROW_COUNTS) {
                Rows x = Fp8Fixture.input(n, n, 70);
                Rows expected = Fp8Fixture.multiply(weight, x);
                Rows wide = new Rows(n, 80);
                wide.resize(n);
                Arrays.fill(wide.data(), Float.NaN);
                for (int i = 0; i < n; i++) {
                    System.arraycopy(x.data(), x.offset(i), wide.data(), wide.offset(i) + 5, 70);
                }
                Rows y = new Rows(n, 140);
                y.resize(n);
                Arrays.fill(y.data(), 42f);
                Scratch scratch = new Scratch(0, n);
                for (int tile = 0; tile < weight.tiles(); tile++) {
                    weight.multiply(wide, 5, y, 3, tile, scratch);
                }
                for (int i = 0; i < n; i++) {
                    int at = y.offset(i);
                    assertArrayEquals(row(expected, i), Arrays.copyOfRange(y.data(), at + 3, at + 133));
                    assertEquals(42f, y.data()[at + 2]);
                    assertEquals(42f, y.data()[at + 133]);
                }
            }
        }
    }

    @Test
    void multiplyingAllocatesNothing() {
        Fp8Fixture fixture = new Fp8Fixture(9, 300, 128, 128, 128);
        try (Arena arena = Arena.ofConfined()) {
            // Aligned runs, and the transpose of an odd slice, whose runs are not.
            for (StoredMatrix matrix : new StoredMatrix[] {
                fixture.matrix, fixture.matrix.rows(1, 150).transposed()
            }) {
                Weight weight = matrix.pack(arena);
                for (int n : new int[] {1, 2, 4, 5}) {
                    Rows x = Fp8Fixture.input(1, n, weight.cols());
                    Rows y = new Rows(n, weight.rows());
                    Scratch scratch = new Scratch(0, n);
                    assertNoAllocation(() -> weight.multiply(x, 0, y, 0, 1, scratch));
                }
            }
        }
    }

    /**
     * Patient, because the compiler shares the machine, and until it is done vectors live on the heap; but several
     * rounds in a row, because a later compilation may inline less than the one before.
     */
    private static void assertNoAllocation(Runnable call) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = 0;
        int clean = 0;
        for (int round = 0; round < 100 && clean < 20; round++) {
            for (int i = 0; i < 1_000; i++) {
                call.run();
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 100; i++) {
                call.run();
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
            clean = allocated < 1024 ? clean + 1 : 0;
        }
        assertTrue(clean >= 20, allocated + " bytes in 100 calls");
    }

    private static Rows first(Rows x, int n) {
        Rows first = x.selection(n);
        first.select(x, 0, n);
        return first;
    }

    private static float[] row(Rows rows, int row) {
        return Arrays.copyOfRange(rows.data(), rows.offset(row), rows.offset(row) + rows.width());
    }
}
