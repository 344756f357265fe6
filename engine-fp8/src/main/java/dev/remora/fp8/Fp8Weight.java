package dev.remora.fp8;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.kernel.Kernels;
import dev.remora.core.kernel.VectorSupport;
import dev.remora.core.weight.TileLayout;
import dev.remora.core.weight.TiledWeight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A block-scaled matrix in tiles; made by {@link Fp8Matrix#pack}. Within a run of columns of equal scale the unscaled
 * products are summed in f32; each run's sum is then multiplied by the scale of its row and added to the total.
 */
final class Fp8Weight extends TiledWeight {
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment tiles;
    private final long tileBytes;
    private final int[] runs;
    private final MemorySegment scale;
    private final boolean aligned;

    /**
     * @param runs  first column of each run of at most {@link Scratch#PANEL_ROWS} columns, then the number of columns
     * @param scale (tiles, runs, 64) f32: one factor a row, because a tile may lie across two blocks of rows
     */
    Fp8Weight(MemorySegment tiles, int rows, int cols, int[] runs, MemorySegment scale) {
        super(rows, cols);
        this.tiles = tiles;
        this.tileBytes = TileLayout.tileBytes(cols, 1);
        this.runs = runs;
        this.scale = scale;
        this.aligned = Arrays.stream(runs).allMatch(col -> col % TileLayout.WORD == 0);
    }

    @Override
    public String format() {
        return Fp8Matrix.FORMAT;
    }

    @Override
    public long bytes() {
        return tiles.byteSize() + scale.byteSize();
    }

    /** False if a run does not start and end between words: a head whose rows, as columns, meet a block's edge oddly. */
    @Override
    protected boolean decodesInRegisters() {
        return aligned;
    }

    @Override
    protected void multiplyRow(int tile, float[] x, int xAt, float[] y, int yAt) {
        long tileAt = tile * tileBytes;
        long scaleAt = scaleAt(tile, 0);
        if (VectorSupport.active()) {
            Fp8Kernels.multiplyRow(tiles, tileAt, runs, scale, scaleAt, x, xAt, y, yAt);
        } else {
            Fp8Reference.multiplyRow(tiles, tileAt, runs, scale, scaleAt, x, xAt, y, yAt);
        }
    }

    @Override
    protected void decodePanel(int tile, int from, int count, Scratch scratch) {
        if (VectorSupport.active()) {
            Fp8Kernels.decodePanel(tiles, tile * tileBytes, from, count, scratch.panel());
        } else {
            Fp8Reference.decodePanel(tiles, tile * tileBytes, from, count, scratch.panel());
        }
        MemorySegment.copy(scale, FLOAT, scaleAt(tile, run(from)), scratch.scale(), 0, TILE);
    }

    @Override
    protected int panelEnd(int from) {
        return runs[run(from) + 1];
    }

    @Override
    protected void multiplyPanel(
            int tile, int from, int count, Rows x, int xColumn, Rows y, int yColumn, Scratch scratch) {
        decodePanel(tile, from, count, scratch);
        Kernels.multiplyTileScaled(
                scratch.panel(),
                0,
                count,
                scratch.scale(),
                x.data(),
                x.offsets(),
                xColumn,
                y.data(),
                y.offsets(),
                yColumn,
                x.count());
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        for (int col = 0; col < cols(); col++) {
            byte code = tiles.get(ValueLayout.JAVA_BYTE, TileLayout.offset(row, col, cols(), 1));
            dst[dstAt + col] = E4m3.toFloat(code) * scale.get(FLOAT, scaleAt(row / TILE, run(col)) + 4L * (row % TILE));
        }
    }

    private long scaleAt(int tile, int run) {
        return 4L * TILE * ((long) tile * (runs.length - 1) + run);
    }

    private int run(int col) {
        int at = Arrays.binarySearch(runs, col);
        return at >= 0 ? at : -at - 2;
    }
}
