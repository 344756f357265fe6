package dev.remora.fp8;

import dev.remora.core.InputTransform;
import dev.remora.core.Packing;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Optional;

/**
 * An FP8 matrix whose weight wants its input rounded to FP8 too: dynamically, with one scale for 128 values of a row, as
 * {@code act_quant} of the reference does (inference/kernel.py). A transposed view is the matrix alone: its columns are no
 * inputs of the model.
 */
public record Fp8Inputs(Fp8Matrix matrix) implements StoredMatrix {
    /**
     * Rounds a row. For each 128 values, or what is left of them at the end, s = max(largest magnitude, 10^-4) / 448; each
     * value x becomes s times the E4M3 number nearest to x / s, of two equally near the one with an even mantissa.
     */
    public static final InputTransform ROUNDING = new Rounding();

    private static final int BLOCK = 128;
    private static final float SMALLEST = 1e-4f;

    private static final class Rounding implements InputTransform {
        @Override
        public void apply(float[] x, int xAt, float[] y, int yAt, int count) {
            for (int from = 0; from < count; from += BLOCK) {
                int width = Math.min(BLOCK, count - from);
                float largest = Float.intBitsToFloat(E4m3.largestBits(x, xAt + from, width));
                float scale = Math.max(largest, SMALLEST) / E4m3.MAX;
                E4m3.round(x, xAt + from, width, scale, y, yAt + from);
            }
        }

        @Override
        public String toString() {
            return "rounding to FP8";
        }
    }

    @Override
    public int rows() {
        return matrix.rows();
    }

    @Override
    public int cols() {
        return matrix.cols();
    }

    @Override
    public String format() {
        return matrix.format();
    }

    @Override
    public Fp8Inputs rows(int from, int count) {
        return new Fp8Inputs(matrix.rows(from, count));
    }

    @Override
    public Fp8Matrix transposed() {
        return matrix.transposed();
    }

    @Override
    public MemorySegment stored() {
        return matrix.stored();
    }

    @Override
    public Fp8Inputs over(MemorySegment elsewhere) {
        return new Fp8Inputs(matrix.over(elsewhere));
    }

    @Override
    public long packedBytes() {
        return matrix.packedBytes();
    }

    @Override
    public Packing packing(SegmentAllocator memory) {
        Packing packing = matrix.packing(memory);
        Weight weight = new RoundedInput(packing.weight());
        return new Packing() {
            @Override
            public void fill(int from, int to) {
                packing.fill(from, to);
            }

            @Override
            public Weight weight() {
                return weight;
            }
        };
    }

    @Override
    public Fp8Matrix copy(SegmentAllocator memory) {
        return matrix.copy(memory);
    }

    @Override
    public long storedBytes() {
        return matrix.storedBytes();
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        matrix.dequantizeRow(row, dst, dstAt);
    }

    private record RoundedInput(Weight weight) implements Weight {
        private static final Optional<InputTransform> TRANSFORM = Optional.of(ROUNDING);

        @Override
        public Optional<InputTransform> inputTransform() {
            return TRANSFORM;
        }

        @Override
        public int rows() {
            return weight.rows();
        }

        @Override
        public int cols() {
            return weight.cols();
        }

        @Override
        public String format() {
            return weight.format();
        }

        @Override
        public long bytes() {
            return weight.bytes();
        }

        @Override
        public void multiply(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch) {
            weight.multiply(x, xColumn, y, yColumn, tile, scratch);
        }

        @Override
        public void multiplyTiles(Rows x, int xColumn, Rows y, int yColumn, int tile, int count, Scratch scratch) {
            weight.multiplyTiles(x, xColumn, y, yColumn, tile, count, scratch);
        }

        @Override
        public void dequantizeRow(int row, float[] dst, int dstAt) {
            weight.dequantizeRow(row, dst, dstAt);
        }
    }
}
