package dev.remora.models.synthetic;

import dev.remora.core.checkpoint.DType;
import dev.remora.core.kernel.Kernels;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import dev.remora.fp8.Fp8Quantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/**
 * Gaussian numbers in one stored type, of which every tensor is a piece from another place. Two million are drawn and
 * rounded or quantised; what the largest tensor needs beyond them is copied from random places among them. So a model of
 * 16 GB takes seconds to make, and loading it still reads different bytes for every tensor.
 */
final class NumberPool {
    /** What {@code initializer_range} is in the released models. */
    static final float STANDARD_DEVIATION = 0.02f;

    private static final int WIDTH = 2048;
    private static final int ROWS = 1024;
    private static final int DRAWN = WIDTH * ROWS;
    /** Pieces begin at multiples of this, so that they are aligned. */
    private static final int STEP = 64;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DType dtype;
    private final SplittableRandom random;
    private final MemorySegment numbers;
    private final float[] scales;

    /**
     * @param arena   that will own the numbers
     * @param largest most elements of a piece
     */
    NumberPool(Arena arena, DType dtype, long largest, SplittableRandom random) {
        this.dtype = dtype;
        this.random = random;
        float[] drawn = new float[DRAWN];
        for (int i = 0; i < DRAWN; i++) {
            drawn[i] = (float) (random.nextGaussian() * STANDARD_DEVIATION);
        }
        scales = new float[dtype == DType.F8_E4M3 ? Fp8Quantizer.scales(ROWS, WIDTH) : 0];
        numbers = grown(stored(drawn), largest * dtype.byteSize(), arena);
    }

    private MemorySegment stored(float[] drawn) {
        MemorySegment stored = MemorySegment.ofArray(new byte[DRAWN * dtype.byteSize()]);
        switch (dtype) {
            case F32 -> MemorySegment.copy(drawn, 0, stored, FLOAT, 0, DRAWN);
            case BF16 -> {
                for (int at = 0; at < DRAWN; at += WIDTH) {
                    Kernels.toBf16(drawn, at, stored, 2L * at, WIDTH);
                }
            }
            case F8_E4M3 -> {
                MemorySegment floats = MemorySegment.ofArray(new byte[DRAWN * Float.BYTES]);
                MemorySegment.copy(drawn, 0, floats, FLOAT, 0, DRAWN);
                new Fp8Quantizer()
                        .quantize(
                                "random numbers",
                                new DenseMatrix("random numbers", DenseFormat.F32, floats, ROWS, WIDTH),
                                stored,
                                scales);
            }
            default -> throw new IllegalArgumentException(dtype.toString());
        }
        return stored;
    }

    private MemorySegment grown(MemorySegment some, long largest, Arena arena) {
        MemorySegment all = arena.allocate(largest + some.byteSize(), STEP);
        all.copyFrom(some);
        for (long at = some.byteSize(); at < all.byteSize(); ) {
            long from = place();
            long count = Math.min(some.byteSize() - from, all.byteSize() - at);
            MemorySegment.copy(some, from, all, at, count);
            at += count;
        }
        return all;
    }

    /** Of a byte among the drawn numbers. */
    private long place() {
        return (long) random.nextInt(DRAWN / STEP) * STEP * dtype.byteSize();
    }

    /** So many numbers, from the next random place. */
    MemorySegment numbers(long count) {
        return numbers.asSlice(place(), count * dtype.byteSize());
    }

    /** So many scales, in f32, of the quantised numbers. */
    MemorySegment scales(long count, Arena arena) {
        MemorySegment some = arena.allocate(count * Float.BYTES, Float.BYTES);
        for (long i = 0; i < count; i++) {
            some.set(FLOAT, i * Float.BYTES, scales[random.nextInt(scales.length)]);
        }
        return some;
    }
}
