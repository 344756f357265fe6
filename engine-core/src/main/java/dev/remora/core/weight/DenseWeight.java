package dev.remora.core.weight;

import dev.remora.core.Scratch;
import java.lang.foreign.MemorySegment;

/** A dense matrix in tiles; made by {@link DenseMatrix#pack}. */
final class DenseWeight extends TiledWeight {
    private final DenseFormat format;
    private final MemorySegment tiles;
    private final long tileBytes;

    DenseWeight(DenseFormat format, MemorySegment tiles, int rows, int cols) {
        super(rows, cols);
        this.format = format;
        this.tiles = tiles;
        this.tileBytes = TileLayout.tileBytes(cols, format.elementBytes());
    }

    @Override
    public String format() {
        return format.name();
    }

    @Override
    public long bytes() {
        return tiles.byteSize();
    }

    @Override
    protected void multiplyRow(int tile, float[] x, int xAt, float[] y, int yAt, Scratch scratch) {
        format.multiplyRow(tiles, tile * tileBytes, cols(), x, xAt, y, yAt);
    }

    @Override
    protected void decodePanel(int tile, int from, int count, Scratch scratch) {
        format.decodePanel(tiles, tile * tileBytes, from, count, scratch.panel());
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        for (int col = 0; col < cols(); col++) {
            dst[dstAt + col] = format.decode(tiles, TileLayout.offset(row, col, cols(), format.elementBytes()));
        }
    }
}
