package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.core.StoredMatrix;
import dev.remora.fp8.BlockScales;
import dev.remora.fp8.Fp8Matrix;
import dev.remora.fp8.Fp8Quantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Param;

/**
 * A matrix from f32 to block-scaled E4M3 and back, on one thread: what quantising a checkpoint and looking up a row do.
 * Counted are the bytes that go in. Multiplications decode codes in registers, see {@link MatvecBenchmark}.
 */
public class Fp8CodecBenchmark extends KernelBenchmark {
    private static final int DIMENSION = 2048;

    @Param({"encode", "decode"})
    public String direction;

    private final Fp8Quantizer quantizer = new Fp8Quantizer();
    private StoredMatrix[] copies;
    private StoredMatrix numbers;
    private int cols;
    private MemorySegment codes;
    private float[] scales;
    private float[] decoded;
    private boolean encodes;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        encodes = direction.equals("encode");
        // Neither rows nor columns are a whole number of blocks.
        int rows = scaled(DIMENSION) + 1;
        cols = scaled(DIMENSION) + 3;
        numbers = Matrices.random("F32", rows, cols, 1, memory);
        codes = memory.allocate((long) rows * cols, 64);
        scales = new float[Fp8Quantizer.scales(rows, cols)];
        decoded = new float[rows * cols];
        quantizer.quantize("random", numbers, codes, scales);
        StoredMatrix source = encodes ? numbers : coded();
        copies = new StoredMatrix[copies(source.storedBytes())];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = source.copy(memory);
        }
        cost = cost(source.storedBytes(), 0);
    }

    private Fp8Matrix coded() {
        int rows = numbers.rows();
        int block = Fp8Quantizer.BLOCK;
        return new Fp8Matrix(
                "random", codes, new BlockScales("random_scale_inv", scales, block, block, rows, cols), rows, cols);
    }

    @Override
    protected Cost invoke() {
        StoredMatrix source = copies[next(copies.length)];
        if (encodes) {
            quantizer.quantize("random", source, codes, scales);
        } else {
            decode(source);
        }
        return cost;
    }

    private void decode(StoredMatrix source) {
        for (int row = 0; row < source.rows(); row++) {
            source.dequantizeRow(row, decoded, row * cols);
        }
    }

    @Override
    protected float[] result() {
        if (encodes) {
            decode(coded());
        }
        return decoded;
    }

    /** The nearest number of three bits of mantissa, or of the steps of 2^-9 that are left below 2^-6, times its scale. */
    @Override
    protected void verify(float[] found) {
        float[] w = new float[cols];
        for (int row = 0; row < numbers.rows(); row++) {
            numbers.dequantizeRow(row, w, 0);
            for (int col = 0; col < cols; col++) {
                int block =
                        row / Fp8Quantizer.BLOCK * Math.ceilDiv(cols, Fp8Quantizer.BLOCK) + col / Fp8Quantizer.BLOCK;
                double scale = scales[block];
                double step = Math.scalb(1.0, Math.max(Math.getExponent(w[col] / scale), -6) - 3);
                double steps = w[col] / scale / step;
                // Close to the middle of two numbers rounding of the quotient decides which of them is the nearest.
                boolean middle = Math.abs(Math.abs(steps - Math.rint(steps)) - 0.5) < 1e-5;
                double expected = Math.rint(steps) * step * scale;
                double tolerance = middle ? step * scale : 0x1p-23 * Math.abs(expected);
                Check.close("E4M3 " + direction, row, col, found[row * cols + col], expected, tolerance);
            }
        }
    }
}
