package dev.remora.core.weight;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.Weight;
import dev.remora.core.kernel.Kernels;
import java.util.Arrays;

/**
 * The multiplication that all tiled formats share. One row, or a few, are decoded in registers; for more, panels of up
 * to 128 columns are decoded to f32 once and meet all rows. Both sum in the same order.
 */
public abstract class TiledWeight implements Weight {
    private final int rows;
    private final int cols;

    protected TiledWeight(int rows, int cols) {
        this.rows = rows;
        this.cols = cols;
    }

    @Override
    public final int rows() {
        return rows;
    }

    @Override
    public final int cols() {
        return cols;
    }

    /** True if {@link #multiplyRow} can be used; otherwise a single row goes through panels too. */
    protected boolean decodesInRegisters() {
        return true;
    }

    /** y[0..64) = tile times x, overwriting y. */
    protected abstract void multiplyRow(int tile, float[] x, int xAt, float[] y, int yAt, Scratch scratch);

    /** Most rows that {@link #multiplyRows} takes; less than 2 if it takes none. */
    protected int rowsInRegisters() {
        return 1;
    }

    /** y[r][0..64) = tile times x[r], overwriting y, for 2 to {@link #rowsInRegisters} rows. */
    protected void multiplyRows(int tile, Rows x, int xColumn, Rows y, int yColumn, Scratch scratch) {
        throw new UnsupportedOperationException(format() + " takes one row at a time");
    }

    /**
     * Decodes columns [from, from + count) of a tile to {@link Scratch#panel} or, for formats without
     * block scales, {@link Scratch#alignedPanel}: [column - from][64]; block scales, one for
     * each row, go to {@code scratch.scale()}.
     */
    protected abstract void decodePanel(int tile, int from, int count, Scratch scratch);

    /**
     * Column where the panel that starts at {@code from} ends; at most {@link Scratch#PANEL_ROWS} further if panels are
     * decoded.
     */
    protected int panelEnd(int from) {
        return Math.min(from + Scratch.PANEL_ROWS, cols);
    }

    /**
     * y += columns [from, from + count) of a tile times x, for all rows of x; formats with block scales apply them here.
     *
     * @param count   at most {@link #panelEnd} - from
     * @param xColumn column of x that meets column {@code from}
     * @param yColumn column of y that takes the tile's first row
     */
    protected void multiplyPanel(
            int tile, int from, int count, Rows x, int xColumn, Rows y, int yColumn, Scratch scratch) {
        decodePanel(tile, from, count, scratch);
        Kernels.multiplyTile(
                scratch.alignedPanel(),
                0,
                count,
                x.data(),
                x.offsets(),
                xColumn,
                y.data(),
                y.offsets(),
                yColumn,
                x.count());
    }

    @Override
    public final void multiply(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch) {
        int n = x.count();
        int valid = Math.min(TILE, rows - tile * TILE);
        if (valid == TILE) {
            multiplyWhole(x, xColumn, y, yColumn + tile * TILE, tile, scratch);
            return;
        }
        Rows edge = scratch.edge();
        edge.resize(n);
        multiplyWhole(x, xColumn, edge, 0, tile, scratch);
        for (int row = 0; row < n; row++) {
            System.arraycopy(edge.data(), edge.offset(row), y.data(), y.offset(row) + yColumn + tile * TILE, valid);
        }
    }

    @Override
    public final void multiplyTiles(Rows x, int xColumn, Rows y, int yColumn, int tile, int count, Scratch scratch) {
        int end = Math.min(tile + count, rows / TILE);
        if (x.count() < MANY_ROWS) {
            end = tile;
        }
        clear(y, x.count(), yColumn + tile * TILE, Math.max(0, end - tile) * TILE);
        for (int from = 0; from < cols && tile < end; from = panelEnd(from)) {
            int columns = panelEnd(from) - from;
            for (int each = tile; each < end; each++) {
                multiplyPanel(each, from, columns, x, xColumn + from, y, yColumn + each * TILE, scratch);
            }
        }
        for (int each = Math.max(tile, end); each < tile + count; each++) {
            multiply(x, xColumn, y, yColumn, each, scratch);
        }
    }

    /** Zeros columns [column, column + width) of n rows. */
    protected static void clear(Rows y, int n, int column, int width) {
        for (int row = 0; row < n; row++) {
            int at = y.offset(row) + column;
            Arrays.fill(y.data(), at, at + width, 0f);
        }
    }

    private void multiplyWhole(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch) {
        int n = x.count();
        if (n == 1 && decodesInRegisters()) {
            multiplyRow(tile, x.data(), x.offset(0) + xColumn, y.data(), y.offset(0) + yColumn, scratch);
            return;
        }
        if (n > 1 && n <= rowsInRegisters()) {
            multiplyRows(tile, x, xColumn, y, yColumn, scratch);
            return;
        }
        clear(y, n, yColumn, TILE);
        for (int from = 0; from < cols; from = panelEnd(from)) {
            int count = panelEnd(from) - from;
            multiplyPanel(tile, from, count, x, xColumn + from, y, yColumn, scratch);
        }
    }
}
