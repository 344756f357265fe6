package dev.remora.core;

import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;

/** Seeded random arrays and matrices. */
public final class TestData {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private TestData() {}

    /** Normal deviates. */
    public static float[] floats(long seed, int n) {
        Random random = new Random(seed);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Normal deviates among which every kind of special value stands. */
    public static float[] specials(long seed, int n) {
        float[] special = {
            0f,
            -0f,
            Float.MIN_VALUE,
            -Float.MIN_VALUE,
            Float.MIN_NORMAL,
            0x1.fffffep-127f,
            Float.MAX_VALUE,
            -Float.MAX_VALUE,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.NaN,
            1e-30f,
            -88f,
            88f,
            104f
        };
        Random random = new Random(seed);
        float[] values = floats(seed, n);
        for (int i = 0; i < n; i++) {
            if (random.nextInt(4) == 0) {
                values[i] = special[random.nextInt(special.length)];
            }
        }
        return values;
    }

    /** A row-major matrix of normal deviates divided by the root of cols, rounded to the format. */
    public static DenseMatrix matrix(long seed, DenseFormat format, int rows, int cols, Arena arena) {
        Random random = new Random(seed);
        MemorySegment data = arena.allocate((long) rows * cols * format.elementBytes());
        for (int i = 0; i < rows * cols; i++) {
            float value = (float) (random.nextGaussian() / Math.sqrt(cols));
            switch (format) {
                case F32 -> data.set(FLOAT, 4L * i, value);
                case BF16 -> data.set(SHORT, 2L * i, (short) (Float.floatToRawIntBits(value) >>> 16));
                case F16 -> data.set(SHORT, 2L * i, Float.floatToFloat16(value));
            }
        }
        return new DenseMatrix("random", format, data, rows, cols);
    }

    /** Rows with storage of their own, filled with normal deviates. */
    public static Rows rows(long seed, int count, int width) {
        Rows rows = new Rows(count, width);
        rows.resize(count);
        System.arraycopy(floats(seed, count * width), 0, rows.data(), 0, count * width);
        return rows;
    }
}
