package dev.remora.core.weight;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.Weight;
import dev.remora.core.kernel.Kernels;
import java.util.Arrays;

/**
 * The multiplication that all tiled formats share. One row is decoded in registers; for more, panels of up to 128 columns
 * are decoded to f32 once and meet all rows, four at a time. Both sum in the same order.
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

    /**
     * Decodes columns [from, from + count) of a tile to {@code scratch.panel()[column - from][64]}; block scales, one for
     * each row, go to {@code scratch.scale()}.
     */
    protected abstract void decodePanel(int tile, int from, int count, Scratch scratch);

    /** Column where the panel that starts at {@code from} ends; at most {@link Scratch#PANEL_ROWS} further. */
    protected int panelEnd(int from) {
        return Math.min(from + Scratch.PANEL_ROWS, cols);
    }

    /** y += the panel's {@code count} columns times x, for four rows; formats with block scales apply them here. */
    protected void multiplyPanel(
            int count,
            Scratch scratch,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            float[] y,
            int y0,
            int y1,
            int y2,
            int y3) {
        Kernels.multiplyPanel(scratch.panel(), 0, TILE, TILE, count, x, x0, x1, x2, x3, y, y0, y1, y2, y3);
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

    private void multiplyWhole(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch) {
        int n = x.count();
        if (n == 1 && decodesInRegisters()) {
            multiplyRow(tile, x.data(), x.offset(0) + xColumn, y.data(), y.offset(0) + yColumn, scratch);
            return;
        }
        for (int row = 0; row < n; row++) {
            int at = y.offset(row) + yColumn;
            Arrays.fill(y.data(), at, at + TILE, 0f);
        }
        for (int from = 0; from < cols; from = panelEnd(from)) {
            int count = panelEnd(from) - from;
            decodePanel(tile, from, count, scratch);
            int xAt = xColumn + from;
            for (int row = 0; row < n; row += Kernels.GROUP) {
                int row1 = Math.min(row + 1, n - 1);
                int row2 = Math.min(row + 2, n - 1);
                int row3 = Math.min(row + 3, n - 1);
                multiplyPanel(
                        count,
                        scratch,
                        x.data(),
                        x.offset(row) + xAt,
                        x.offset(row1) + xAt,
                        x.offset(row2) + xAt,
                        x.offset(row3) + xAt,
                        y.data(),
                        y.offset(row) + yColumn,
                        y.offset(row1) + yColumn,
                        y.offset(row2) + yColumn,
                        y.offset(row3) + yColumn);
            }
        }
    }
}
