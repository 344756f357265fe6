package dev.remora.models;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.core.kernel.Kernels;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import dev.remora.fp8.BlockScales;
import dev.remora.fp8.Fp8Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/**
 * Checks on this machine that the kernels in use, once compiled, give the bits that their definition gives: a chain of
 * fused multiply-adds in plain Java. For {@code doctor}; takes about a second.
 */
public final class SelfTest {
    /** Enough calls for the second compiler to have replaced the interpreter's answers by its own. */
    private static final int CALLS = 1_000;

    private static final int COLS = 128;
    private static final int ROWS = 2 * Weight.TILE;
    private static final int BATCH = 5;

    private final SplittableRandom random = new SplittableRandom(1);
    private final Scratch scratch = new Scratch(0, BATCH);
    private final Rows x = new Rows(BATCH, COLS);
    private final Rows y = new Rows(BATCH, ROWS);

    private SelfTest() {
        for (int i = 0; i < x.data().length; i++) {
            x.data()[i] = (float) random.nextDouble(-1, 1);
        }
    }

    /**
     * One family of kernels.
     *
     * @param kernel for example {@code FP8, one row}
     * @param passed false if a bit differed
     */
    public record Result(String kernel, boolean passed) {}

    /** Runs all checks. */
    public static List<Result> run() {
        SelfTest test = new SelfTest();
        List<Result> results = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (StoredMatrix matrix : test.matrices(arena)) {
                Weight weight = matrix.pack(arena);
                results.add(
                        new Result(matrix.format() + ", one row", always(() -> test.multiplies(matrix, weight, 1))));
                results.add(new Result(
                        matrix.format() + ", several rows", always(() -> test.multiplies(matrix, weight, BATCH))));
            }
        }
        results.add(new Result("SwiGLU", always(test::activates)));
        results.add(new Result("scaled sum", always(test::adds)));
        return results;
    }

    private static boolean always(BooleanSupplier check) {
        boolean passed = true;
        for (int call = 0; call < CALLS; call++) {
            passed &= check.getAsBoolean();
        }
        return passed;
    }

    private List<StoredMatrix> matrices(Arena arena) {
        List<StoredMatrix> matrices = new ArrayList<>();
        for (DenseFormat format : DenseFormat.values()) {
            MemorySegment data = arena.allocate((long) ROWS * COLS * format.elementBytes(), 4);
            for (long i = 0; i < (long) ROWS * COLS; i++) {
                float value = (float) random.nextDouble(-1, 1);
                switch (format) {
                    case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
                    case BF16 ->
                        data.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
                    case F16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
                }
            }
            matrices.add(new DenseMatrix("self-test", format, data, ROWS, COLS));
        }
        MemorySegment codes = arena.allocate((long) ROWS * COLS);
        for (long i = 0; i < codes.byteSize(); i++) {
            // Every code but the two NaN, subnormals included.
            codes.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(0x7f) | random.nextInt(2) << 7));
        }
        // A power of two scales without rounding, so that scaling each weight gives the same bits.
        float[] scale = {0.125f};
        matrices.add(new Fp8Matrix(
                "self-test", codes, new BlockScales("self-test", scale, ROWS, COLS, ROWS, COLS), ROWS, COLS));
        return matrices;
    }

    private boolean multiplies(StoredMatrix matrix, Weight weight, int rows) {
        x.resize(rows);
        y.resize(rows);
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(x, 0, y, 0, tile, scratch);
        }
        // One row of the matrix a call, in turn: the definition is slow.
        int row = random.nextInt(ROWS);
        float[] w = new float[COLS];
        matrix.dequantizeRow(row, w, 0);
        for (int i = 0; i < rows; i++) {
            float sum = 0;
            for (int col = 0; col < COLS; col++) {
                sum = Kernels.fma(w[col], x.data()[x.offset(i) + col], sum);
            }
            if (sum != y.data()[y.offset(i) + row]) {
                return false;
            }
        }
        return true;
    }

    private boolean activates() {
        float[] gate = Arrays.copyOf(x.data(), COLS);
        float[] up = Arrays.copyOfRange(x.data(), COLS, 2 * COLS);
        Kernels.swiGlu(gate, 0, up, 0, y.data(), 0, COLS);
        for (int i = 0; i < COLS; i++) {
            if (y.data()[i] != gate[i] / (1f + Kernels.exp(-gate[i])) * up[i]) {
                return false;
            }
        }
        return true;
    }

    private boolean adds() {
        float[] sum = Arrays.copyOf(x.data(), COLS);
        Kernels.addScaled(0.3f, x.data(), COLS, sum, 0, COLS);
        for (int i = 0; i < COLS; i++) {
            if (sum[i] != Kernels.fma(0.3f, x.data()[COLS + i], x.data()[i])) {
                return false;
            }
        }
        return true;
    }
}
