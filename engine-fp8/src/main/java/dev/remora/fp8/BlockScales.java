package dev.remora.fp8;

import dev.remora.core.CheckpointException;

/**
 * The factors of a block-scaled matrix: {@code weight_scale_inv}, (ceil(rows / blockRows), ceil(cols / blockCols)).
 * Finite, whatever their format was: files marked ue8m0 also hold factors that are no powers of two.
 */
public final class BlockScales {
    private final float[] factors;
    private final int blockRows;
    private final int blockCols;
    private final int blocksPerRow;

    /**
     * @param name    of the tensor, for messages
     * @param factors row-major
     * @throws CheckpointException if one is NaN or infinite
     */
    public BlockScales(String name, float[] factors, int blockRows, int blockCols, int rows, int cols) {
        this.factors = factors;
        this.blockRows = blockRows;
        this.blockCols = blockCols;
        this.blocksPerRow = Math.ceilDiv(cols, blockCols);
        if (factors.length != Math.ceilDiv(rows, blockRows) * blocksPerRow) {
            throw new IllegalArgumentException(
                    name + ": " + factors.length + " factors for a matrix (" + rows + ", " + cols + ")");
        }
        for (int i = 0; i < factors.length; i++) {
            if (!Float.isFinite(factors[i])) {
                throw new CheckpointException(
                        name + ": expected finite scales, found " + factors[i] + " for block (" + i / blocksPerRow
                                + ", " + i % blocksPerRow + "); the file is damaged or was quantised wrongly");
            }
        }
    }

    int blockRows() {
        return blockRows;
    }

    int blockCols() {
        return blockCols;
    }

    /** The factor of an element. */
    float at(int row, int col) {
        return factors[row / blockRows * blocksPerRow + col / blockCols];
    }
}
