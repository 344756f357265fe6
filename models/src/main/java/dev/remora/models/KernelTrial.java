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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every kernel on small random data, with the definition of its result: to warm kernels up, and to check them. */
final class KernelTrial {
    private static final int COLS = 128;
    private static final int ROWS = 2 * Weight.TILE;

    /** Of E4M3: the code of 2^-6. */
    private static final int SMALLEST_NORMAL = 8;

    /** Of a multiplication: what is decoded in registers, alone and together; and the panels' groups of six, four and two. */
    private static final int[] BATCHES = {1, 2, 4, 11};

    private static final int BATCH = 11;

    private static final Set<String> FORMATS = Stream.concat(
                    Arrays.stream(DenseFormat.values()).map(DenseFormat::name), Stream.of(Fp8Matrix.FORMAT))
            .collect(Collectors.toUnmodifiableSet());

    private final SplittableRandom random = new SplittableRandom(1);
    private final Scratch scratch = new Scratch(0, BATCH);
    private final Rows x = new Rows(BATCH, COLS);
    private final Rows y = new Rows(BATCH, ROWS);
    private final float[] row = new float[COLS];
    private final float[] norm = new float[COLS];
    private final List<Operation> operations = new ArrayList<>();

    /**
     * One kernel.
     *
     * @param name  for people
     * @param run   calls it; allocates nothing once compiled
     * @param check true if the last result has the bits of its definition
     */
    record Operation(String name, Runnable run, BooleanSupplier check) {}

    /** Of weights in every format. */
    KernelTrial(Arena arena) {
        this(arena, FORMATS);
    }

    /**
     * Data that lives as long as the arena.
     *
     * @param formats of weights, as files name them; others are left out
     */
    KernelTrial(Arena arena, Set<String> formats) {
        for (int i = 0; i < x.data().length; i++) {
            x.data()[i] = (float) random.nextDouble(-1, 1);
        }
        matrices(arena).forEach((name, matrix) -> {
            if (!formats.contains(matrix.format())) {
                return;
            }
            Weight weight = matrix.pack(arena);
            for (int rows : BATCHES) {
                operations.add(new Operation(
                        name + (rows == 1 ? ", one row" : ", " + rows + " rows"),
                        () -> multiply(weight, rows),
                        () -> multiplied(matrix)));
            }
        });
        operations.add(new Operation("RMSNorm", this::normalize, this::normalized));
        operations.add(new Operation("SwiGLU", this::activate, this::activated));
        operations.add(new Operation("softmax", this::exponentiate, this::exponentiated));
        operations.add(new Operation("sums", this::add, this::added));
        operations.addAll(new AttentionTrial(arena, random).operations());
    }

    List<Operation> operations() {
        return operations;
    }

    private Map<String, StoredMatrix> matrices(Arena arena) {
        Map<String, StoredMatrix> matrices = new LinkedHashMap<>();
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
            matrices.put(format.name(), new DenseMatrix("trial", format, data, ROWS, COLS));
        }
        // Two decodings: one where codes may be subnormal, and one where hardly any is, as in most matrices.
        matrices.put(Fp8Matrix.FORMAT, fp8(SMALLEST_NORMAL, arena));
        matrices.put(Fp8Matrix.FORMAT + " with subnormals", fp8(0, arena));
        return matrices;
    }

    /** Codes of a magnitude from {@code smallest} on, but no NaN. */
    private Fp8Matrix fp8(int smallest, Arena arena) {
        MemorySegment codes = arena.allocate((long) ROWS * COLS);
        for (long i = 0; i < codes.byteSize(); i++) {
            codes.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(smallest, 0x7f) | random.nextInt(2) << 7));
        }
        // A power of two scales without rounding, so that scaling each weight gives the same bits.
        float[] scale = {0.125f};
        return new Fp8Matrix("trial", codes, new BlockScales("trial", scale, ROWS, COLS, ROWS, COLS), ROWS, COLS);
    }

    private void multiply(Weight weight, int rows) {
        x.resize(rows);
        y.resize(rows);
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(x, 0, y, 0, tile, scratch);
        }
    }

    /** One column of the result a call, in turn: the definition is slow. */
    private boolean multiplied(StoredMatrix matrix) {
        int column = random.nextInt(ROWS);
        matrix.dequantizeRow(column, row, 0);
        for (int i = 0; i < x.count(); i++) {
            float sum = 0;
            for (int col = 0; col < COLS; col++) {
                sum = Kernels.fma(row[col], x.data()[x.offset(i) + col], sum);
            }
            if (sum != y.data()[y.offset(i) + column]) {
                return false;
            }
        }
        return true;
    }

    private void normalize() {
        System.arraycopy(x.data(), 0, norm, 0, COLS);
        Kernels.rmsNorm(x.data(), 0, norm, 1e-6, y.data(), 0, COLS, scratch.partial());
    }

    /** Up to rounding, because the order of this sum is the kernels' own affair. */
    private boolean normalized() {
        double squares = 0;
        for (int i = 0; i < COLS; i++) {
            squares += (double) x.data()[i] * x.data()[i];
        }
        for (int i = 0; i < COLS; i++) {
            double expected = norm[i] * x.data()[i] / Math.sqrt(squares / COLS + 1e-6);
            if (!(Math.abs(y.data()[i] - expected) <= 1e-5)) {
                return false;
            }
        }
        return true;
    }

    private void activate() {
        Kernels.swiGlu(x.data(), 0, x.data(), COLS, y.data(), 0, COLS);
    }

    private boolean activated() {
        for (int i = 0; i < COLS; i++) {
            float gate = x.data()[i];
            if (y.data()[i] != gate / (1f + Kernels.exp(-gate)) * x.data()[COLS + i]) {
                return false;
            }
        }
        return true;
    }

    private void exponentiate() {
        System.arraycopy(x.data(), 0, y.data(), 0, COLS);
        float max = Kernels.maximum(y.data(), 0, COLS);
        Kernels.expAndSum(y.data(), 0, max, COLS, scratch.partial());
    }

    private boolean exponentiated() {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < COLS; i++) {
            max = Math.max(max, x.data()[i]);
        }
        for (int i = 0; i < COLS; i++) {
            if (y.data()[i] != Kernels.exp(x.data()[i] - max)) {
                return false;
            }
        }
        return true;
    }

    private void add() {
        System.arraycopy(x.data(), 0, y.data(), 0, COLS);
        Kernels.addScaled(0.3f, x.data(), COLS, y.data(), 0, COLS);
        Kernels.add(x.data(), COLS, y.data(), 0, COLS);
        Kernels.scale(0.7f, y.data(), 0, COLS);
    }

    private boolean added() {
        for (int i = 0; i < COLS; i++) {
            float sum = Kernels.fma(0.3f, x.data()[COLS + i], x.data()[i]) + x.data()[COLS + i];
            if (y.data()[i] != sum * 0.7f) {
                return false;
            }
        }
        return true;
    }
}
