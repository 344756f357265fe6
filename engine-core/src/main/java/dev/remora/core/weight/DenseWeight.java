package dev.remora.core.weight;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/** A dense matrix in tiles; made by {@link DenseMatrix#pack}. */
final class DenseWeight extends TiledWeight {
    private static final int F32_COLUMNS = 256;

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
        format.decodePanel(tiles, tile * tileBytes, from, count, scratch.alignedPanel());
    }

    @Override
    protected int rowsInRegisters() {
        return format.rowsInRegisters();
    }

    @Override
    protected void multiplyRows(int tile, Rows x, int xColumn, Rows y, int yColumn, Scratch scratch) {
        format.multiplyRows(
                tiles,
                tile * tileBytes,
                cols(),
                x.data(),
                x.offsets(),
                xColumn,
                y.data(),
                y.offsets(),
                yColumn,
                x.count());
    }

    /** F32 tiles are panels as they stand. */
    @Override
    protected void multiplyPanel(
            int tile, int from, int count, Rows x, int xColumn, Rows y, int yColumn, Scratch scratch) {
        if (format != DenseFormat.F32) {
            super.multiplyPanel(tile, from, count, x, xColumn, y, yColumn, scratch);
            return;
        }
        long at = tile * tileBytes + 4L * TILE * from;
        Kernels.multiplyTile(
                tiles, at, count, x.data(), x.offsets(), xColumn, y.data(), y.offsets(), yColumn, x.count());
    }

    @Override
    protected int panelEnd(int from) {
        return format == DenseFormat.F32 ? Math.min(from + F32_COLUMNS, cols()) : super.panelEnd(from);
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        for (int col = 0; col < cols(); col++) {
            dst[dstAt + col] = format.decode(tiles, TileLayout.offset(row, col, cols(), format.elementBytes()));
        }
    }
}
