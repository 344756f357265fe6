package dev.remora.bench.support;

import dev.remora.core.Rows;
import dev.remora.core.StoredMatrix;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import dev.remora.fp8.BlockScales;
import dev.remora.fp8.E4m3;
import dev.remora.fp8.Fp8Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;

/** Seeded random matrices, as a checkpoint would store them, and rows. */
public final class Matrices {
    /** Name of the parameter's value for block-scaled E4M3. */
    public static final String FP8 = "FP8";

    /** Elements that differ; prime, so that no two rows of a matrix are the same. */
    private static final int PATTERN = 65_537;

    private static final int BLOCK = 128;

    /** Among so many normal deviates none is larger, so that the largest code is not exceeded. */
    private static final float WIDEST = 5.5f;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Matrices() {}

    /**
     * Normal deviates divided by the root of cols, so that products with normal deviates are such again.
     *
     * @param format a {@link DenseFormat}, or {@link #FP8} with blocks of 128 x 128
     */
    public static StoredMatrix random(String format, int rows, int cols, long seed, Arena arena) {
        return format.equals(FP8)
                ? fp8(rows, cols, seed, arena)
                : dense(DenseFormat.valueOf(format), rows, cols, seed, arena);
    }

    private static DenseMatrix dense(DenseFormat format, int rows, int cols, long seed, Arena arena) {
        Random random = new Random(seed);
        int bytes = format.elementBytes();
        MemorySegment pattern = MemorySegment.ofArray(new byte[PATTERN * bytes]);
        for (int i = 0; i < PATTERN; i++) {
            float value = (float) (random.nextGaussian() / Math.sqrt(cols));
            switch (format) {
                case F32 -> pattern.set(FLOAT, (long) i * bytes, value);
                case BF16 ->
                    pattern.set(SHORT, (long) i * bytes, (short) (Float.floatToRawIntBits(value) >>> Short.SIZE));
                case F16 -> pattern.set(SHORT, (long) i * bytes, Float.floatToFloat16(value));
            }
        }
        return new DenseMatrix("random", format, repeated(pattern, (long) rows * cols * bytes, arena), rows, cols);
    }

    private static Fp8Matrix fp8(int rows, int cols, long seed, Arena arena) {
        Random random = new Random(seed);
        byte[] pattern = new byte[PATTERN];
        for (int i = 0; i < PATTERN; i++) {
            pattern[i] = E4m3.toCode((float) random.nextGaussian() * (E4m3.MAX / WIDEST));
        }
        float[] factors = new float[Math.ceilDiv(rows, BLOCK) * Math.ceilDiv(cols, BLOCK)];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = (float) ((0.5 + random.nextDouble()) * WIDEST / E4m3.MAX / Math.sqrt(cols));
        }
        BlockScales scales = new BlockScales("random_scale_inv", factors, BLOCK, BLOCK, rows, cols);
        MemorySegment codes = repeated(MemorySegment.ofArray(pattern), (long) rows * cols, arena);
        return new Fp8Matrix("random", codes, scales, rows, cols);
    }

    private static MemorySegment repeated(MemorySegment pattern, long bytes, Arena arena) {
        MemorySegment data = arena.allocate(bytes, 64);
        for (long at = 0; at < bytes; at += pattern.byteSize()) {
            long count = Math.min(pattern.byteSize(), bytes - at);
            MemorySegment.copy(pattern, 0, data, at, count);
        }
        return data;
    }

    /** Normal deviates. */
    public static float[] floats(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Rows of normal deviates, all in use. */
    public static Rows rows(int count, int width, long seed) {
        Rows rows = new Rows(count, width);
        rows.resize(count);
        System.arraycopy(floats(count * width, seed), 0, rows.data(), 0, count * width);
        return rows;
    }
}
