package dev.remora.models.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightLoaderTest {
    private final SplittableRandom random = new SplittableRandom(1);

    /** Larger than a slab, larger than a piece, and many small ones with odd sizes. */
    private static final int[][] SHAPES = {{3, 5}, {70, 33}, {2100, 700}, {1, 1}, {64, 64}, {900, 1030}, {65, 7}};

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void everyMatrixArrivesWhole(int threads) {
        try (Arena arena = Arena.ofShared()) {
            WeightLoader loader = new WeightLoader();
            List<StoredMatrix> matrices = new ArrayList<>();
            List<Supplier<Weight>> weights = new ArrayList<>();
            List<Supplier<StoredMatrix>> copies = new ArrayList<>();
            long bytes = 0;
            for (int[] shape : SHAPES) {
                DenseMatrix matrix = matrix(DenseFormat.BF16, shape[0], shape[1], arena);
                matrices.add(matrix);
                weights.add(loader.add(matrix));
                copies.add(loader.addCopy(matrix));
                bytes += matrix.packedBytes() + matrix.storedBytes();
            }
            assertEquals(bytes, loader.bytes());
            assertThrows(IllegalStateException.class, () -> weights.getFirst().get());
            assertThrows(IllegalStateException.class, () -> copies.getFirst().get());
            List<Long> told = new ArrayList<>();
            loader.load(arena, threads, told::add);
            for (int i = 0; i < matrices.size(); i++) {
                StoredMatrix matrix = matrices.get(i);
                float[] expected = new float[matrix.cols()];
                float[] packed = new float[matrix.cols()];
                float[] copied = new float[matrix.cols()];
                for (int row = 0; row < matrix.rows(); row++) {
                    matrix.dequantizeRow(row, expected, 0);
                    weights.get(i).get().dequantizeRow(row, packed, 0);
                    copies.get(i).get().dequantizeRow(row, copied, 0);
                    assertArrayEquals(expected, packed);
                    assertArrayEquals(expected, copied);
                }
            }
            assertEquals(bytes, told.getLast());
            for (int i = 1; i < told.size(); i++) {
                assertTrue(told.get(i - 1) < told.get(i), told.toString());
            }
        }
    }

    @Test
    void threadsThatCopyShareNoMemory() {
        try (Arena arena = Arena.ofShared()) {
            for (int turn = 0; turn < 20; turn++) {
                WeightLoader loader = new WeightLoader();
                List<StoredMatrix> matrices = new ArrayList<>();
                List<Supplier<StoredMatrix>> copies = new ArrayList<>();
                for (int i = 0; i < 200; i++) {
                    matrices.add(matrix(DenseFormat.BF16, 7, 11, arena));
                    copies.add(loader.addCopy(matrices.getLast()));
                    loader.add(matrix(DenseFormat.BF16, 64, 600, arena));
                }
                loader.load(arena, 4, done -> {});
                float[] expected = new float[11];
                float[] copied = new float[11];
                for (int i = 0; i < 200; i++) {
                    matrices.get(i).dequantizeRow(6, expected, 0);
                    copies.get(i).get().dequantizeRow(6, copied, 0);
                    assertArrayEquals(expected, copied);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void aBadMatrixEndsTheLoadingWithItsOwnMessage(int threads) {
        try (Arena arena = Arena.ofShared()) {
            WeightLoader loader = new WeightLoader();
            for (int i = 0; i < 20; i++) {
                loader.add(matrix(DenseFormat.F16, 300, 700, arena));
            }
            MemorySegment data = arena.allocate(2L * 100 * 50);
            data.set(ValueLayout.JAVA_SHORT, 2L * (70 * 50 + 8), (short) 0x7c00);
            loader.add(new DenseMatrix("broken", DenseFormat.F16, data, 100, 50));
            CheckpointException e =
                    assertThrows(CheckpointException.class, () -> loader.load(arena, threads, done -> {}));
            assertTrue(e.getMessage().startsWith("broken: "), e.getMessage());
            assertFalse(
                    Thread.getAllStackTraces().keySet().stream()
                            .anyMatch(t -> t.getName().startsWith("remora-loader-")),
                    "a thread still writes");
        }
    }

    @Test
    void aFailureOfTheListenerStopsTheThreads() {
        try (Arena arena = Arena.ofShared()) {
            WeightLoader loader = new WeightLoader();
            for (int i = 0; i < 20; i++) {
                loader.add(matrix(DenseFormat.F32, 300, 700, arena));
            }
            assertThrows(
                    UnsupportedOperationException.class,
                    () -> loader.load(arena, 2, done -> {
                        throw new UnsupportedOperationException();
                    }));
            assertFalse(
                    Thread.getAllStackTraces().keySet().stream()
                            .anyMatch(t -> t.getName().startsWith("remora-loader-")),
                    "a thread still writes");
        }
    }

    @Test
    void anInterruptWaitsForTheEnd() {
        try (Arena arena = Arena.ofShared()) {
            WeightLoader loader = new WeightLoader();
            Supplier<Weight> weight = loader.add(matrix(DenseFormat.F32, 300, 700, arena));
            Thread.currentThread().interrupt();
            loader.load(arena, 2, done -> {});
            assertTrue(Thread.interrupted());
            assertEquals(300, weight.get().rows());
        }
    }

    private DenseMatrix matrix(DenseFormat format, int rows, int cols, Arena arena) {
        MemorySegment data = arena.allocate((long) rows * cols * format.elementBytes());
        for (long i = 0; i < data.byteSize(); i++) {
            // No exponent of ones in any format.
            data.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(0x3c));
        }
        return new DenseMatrix("random", format, data, rows, cols);
    }
}
