package dev.remora.models.experts;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;

/** What is known of a weight that is not in memory. */
record WeightOutline(int rows, int cols, String format, long bytes) implements Weight {
    static WeightOutline of(StoredMatrix matrix) {
        return new WeightOutline(matrix.rows(), matrix.cols(), matrix.format(), matrix.packedBytes());
    }

    @Override
    public void multiply(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch) {
        throw new UnsupportedOperationException("this weight is in a file");
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        throw new UnsupportedOperationException("this weight is in a file");
    }
}
