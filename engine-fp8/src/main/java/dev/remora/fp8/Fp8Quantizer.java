package dev.remora.fp8;

import dev.remora.core.RemoraException;
import dev.remora.core.StoredMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Quantises matrices to block-scaled E4M3 as DeepSeek-V3 was published: for each block of 128 x 128 one scale, the
 * largest magnitude of the block divided by 448, and for each number w the code nearest to w / scale (inference/kernel.py
 * of the reference, {@code weight_scale_inv} in its checkpoints). So w differs from code * scale by at most 1/16 of itself,
 * or by 2^-10 of the scale where that is more. Reusable, not thread-safe: bands of 128 rows may be quantised in parallel,
 * each thread with a quantiser of its own.
 */
public final class Fp8Quantizer {
    /** Rows and columns of a block. */
    public static final int BLOCK = 128;

    private float[] band = {};
    private byte[] row = {};

    /** A quantiser that grows to the widest matrix that it meets. */
    public Fp8Quantizer() {}

    /**
     * The scale of numbers of which this is the largest magnitude: never 0, so that nothing divides by it, nor so small that
     * a quotient would exceed 448; 1 for zeros.
     *
     * @param largest finite, at least 0
     */
    public static float scale(float largest) {
        return largest == 0 ? 1 : Math.max(largest / E4m3.MAX, Float.MIN_NORMAL);
    }

    /** Scales of a matrix: one for each block, partial ones at the edges included. */
    public static int scales(int rows, int cols) {
        return Math.multiplyExact(Math.ceilDiv(rows, BLOCK), Math.ceilDiv(cols, BLOCK));
    }

    /**
     * A quantised copy.
     *
     * @param name  of the matrix, for messages
     * @param arena that will own its codes
     * @throws RemoraException if a number is infinite or NaN
     */
    public Fp8Matrix quantize(String name, StoredMatrix matrix, Arena arena) {
        int rows = matrix.rows();
        int cols = matrix.cols();
        MemorySegment codes = arena.allocate((long) rows * cols, 64);
        float[] scales = new float[scales(rows, cols)];
        quantize(name, matrix, codes, scales);
        return new Fp8Matrix(
                name, codes, new BlockScales(name + "_scale_inv", scales, BLOCK, BLOCK, rows, cols), rows, cols);
    }

    /**
     * Quantises a matrix of any format.
     *
     * @param name   of the matrix, for messages
     * @param codes  rows * cols bytes to write, row-major
     * @param scales (ceil(rows / 128), ceil(cols / 128)) to write
     * @throws RemoraException if a number is infinite or NaN
     */
    public void quantize(String name, StoredMatrix matrix, MemorySegment codes, float[] scales) {
        int rows = matrix.rows();
        int cols = matrix.cols();
        if (codes.byteSize() != (long) rows * cols || scales.length != scales(rows, cols)) {
            throw new IllegalArgumentException(name + ": " + codes.byteSize() + " codes and " + scales.length
                    + " scales for a matrix (" + rows + ", " + cols + ")");
        }
        if (row.length < cols) {
            band = new float[BLOCK * cols];
            row = new byte[cols];
        }
        int blocks = Math.ceilDiv(cols, BLOCK);
        for (int from = 0; from < rows; from += BLOCK) {
            int count = Math.min(BLOCK, rows - from);
            for (int i = 0; i < count; i++) {
                matrix.dequantizeRow(from + i, band, i * cols);
            }
            int scalesAt = from / BLOCK * blocks;
            for (int block = 0; block < blocks; block++) {
                scales[scalesAt + block] = scale(largest(name, from, count, cols, block));
            }
            for (int i = 0; i < count; i++) {
                encodeRow(i * cols, cols, scales, scalesAt);
                MemorySegment.copy(row, 0, codes, ValueLayout.JAVA_BYTE, (long) (from + i) * cols, cols);
            }
        }
    }

    private float largest(String name, int firstRow, int count, int cols, int block) {
        int from = block * BLOCK;
        int width = Math.min(BLOCK, cols - from);
        int largest = 0;
        for (int i = 0; i < count; i++) {
            int bits = E4m3.largestBits(band, i * cols + from, width);
            if (bits >= E4m3.INFINITY) {
                throw notANumber(name, firstRow + i, i * cols + from, width, from);
            }
            largest = Math.max(largest, bits);
        }
        return Float.intBitsToFloat(largest);
    }

    private RemoraException notANumber(String name, int matrixRow, int at, int width, int firstCol) {
        int i = 0;
        while (i < width - 1 && Float.isFinite(band[at + i])) {
            i++;
        }
        return new RemoraException(name + ": expected finite numbers, found " + band[at + i] + " at row " + matrixRow
                + ", column " + (firstCol + i)
                + "; FP8 has no code for it. The file is damaged or was saved from a broken"
                + " model");
    }

    private void encodeRow(int at, int cols, float[] scales, int scalesAt) {
        for (int col = 0; col < cols; col += BLOCK) {
            E4m3.encode(band, at + col, Math.min(BLOCK, cols - col), scales[scalesAt + col / BLOCK], row, col);
        }
    }
}
