package dev.remora.fp8;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.Weight;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** A random block-scaled matrix, and the plain sum that its products are compared with. */
final class Fp8Fixture {
    final String name = "model.layers.3.self_attn.kv_b_proj.weight";
    final int rows;
    final int cols;
    final byte[] codes;
    final float[] factors;
    final Fp8Matrix matrix;
    private final int blockRows;
    private final int blockCols;

    Fp8Fixture(long seed, int rows, int cols, int blockRows, int blockCols) {
        Random random = new Random(seed);
        this.rows = rows;
        this.cols = cols;
        this.blockRows = blockRows;
        this.blockCols = blockCols;
        codes = codes(random, rows * cols);
        factors = new float[Math.ceilDiv(rows, blockRows) * Math.ceilDiv(cols, blockCols)];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = (float) (1e-3 * (0.5 + random.nextDouble()));
        }
        matrix = new Fp8Matrix(name, MemorySegment.ofArray(codes), scales(), rows, cols);
    }

    BlockScales scales() {
        return new BlockScales(name + "_scale_inv", factors, blockRows, blockCols, rows, cols);
    }

    /** Codes of numbers, all 254 equally often. */
    static byte[] codes(Random random, int count) {
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++) {
            int magnitude = random.nextInt(127);
            codes[i] = (byte) (random.nextBoolean() ? magnitude : magnitude | 0x80);
        }
        return codes;
    }

    static Rows input(long seed, int n, int width) {
        Random random = new Random(seed);
        Rows x = new Rows(n, width);
        x.resize(n);
        for (int i = 0; i < n * width; i++) {
            x.data()[i] = (float) random.nextGaussian();
        }
        return x;
    }

    /** All tiles of a product. */
    static Rows multiply(Weight weight, Rows x) {
        Rows y = new Rows(x.count(), weight.rows());
        y.resize(x.count());
        Scratch scratch = new Scratch(0, x.count());
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(x, 0, y, 0, tile, scratch);
        }
        return y;
    }

    /** An element, exactly. */
    double at(int row, int col) {
        int block = row / blockRows * Math.ceilDiv(cols, blockCols) + col / blockCols;
        return (double) E4m3.toFloat(codes[row * cols + col]) * factors[block];
    }
}
