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

    /**
     * Most subnormal codes of one tile and run that are decoded quickly. Weights of a Gaussian distribution have one among
     * 8,192; where a CPU needs 150 cycles for an f32 subnormal, this many double the time of a run at most.
     */
    static final int FEW_SUBNORMALS = 8;

    private final MemorySegment tiles;
    private final long tileBytes;
    private final long groupBytes;
    private final int[] runs;
    private final MemorySegment scale;
    private final int scaleLanes;
    private final byte[] careful;
    private final boolean aligned;

    /**
     * @param tiles   of {@link Fp8Layout}
     * @param runs    first column of each run of at most {@link Scratch#PANEL_ROWS} columns, then the number of columns
     * @param scale   (tiles, runs) f32 if each tile lies within one block of rows; otherwise (tiles, runs, 64)
     * @param careful (tiles, runs), not 0 where the quick decoding would meet more than {@link #FEW_SUBNORMALS}
     */
    Fp8Weight(MemorySegment tiles, int rows, int cols, int[] runs, MemorySegment scale, byte[] careful) {
        super(rows, cols);
        this.tiles = tiles;
        this.tileBytes = TileLayout.tileBytes(cols, 1);
        this.groupBytes = Fp8Layout.groupBytes(cols);
        this.runs = runs;
        this.scale = scale;
        this.scaleLanes = scale.byteSize() == 4L * tiles() * (runs.length - 1) ? 1 : TILE;
        this.careful = careful;
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
    protected void multiplyRow(int tile, float[] x, int xAt, float[] y, int yAt, Scratch scratch) {
        Arrays.fill(y, yAt, yAt + TILE, 0f);
        int count = runs.length - 1;
        float[] sums = scratch.sums(TILE * count);
        if (!VectorSupport.active()) {
            for (int run = 0; run < count; run++) {
                Fp8Reference.multiplyRunCarefully(
                        tiles, at(tile, run), groupBytes, width(run), x, xAt + runs[run], sums);
                addScaled(tile, run, 1, sums, 0, y, yAt);
            }
            return;
        }
        float[] scaled = scratch.input(cols());
        for (int run = 0; run < count; ) {
            int end = run;
            while (end < count
                    && quick(tile, end)
                    && Fp8Kernels.scale(x, xAt + runs[end], width(end), scaled, runs[end])) {
                end++;
            }
            if (end > run) {
                Fp8Kernels.multiplyRuns(tiles, tile * tileBytes, groupBytes, runs, run, end, scaled, sums);
            } else {
                Fp8Kernels.multiplyRunCarefully(tiles, at(tile, run), groupBytes, width(run), x, xAt + runs[run], sums);
                end++;
            }
            addScaled(tile, run, end - run, sums, 0, y, yAt);
            run = end;
        }
    }

    /** Byte of a run's first column in the tile's first group. */
    private long at(int tile, int run) {
        return tile * tileBytes + Fp8Layout.wordOffset(runs[run]);
    }

    private int width(int run) {
        return runs[run + 1] - runs[run];
    }

    private void addScaled(int tile, int run, int count, float[] sums, int sumsAt, float[] y, int yAt) {
        if (VectorSupport.active()) {
            Fp8Kernels.addScaled(sums, sumsAt, count, scale, scaleAt(tile, run), scaleLanes, y, yAt);
        } else {
            Fp8Reference.addScaled(sums, sumsAt, count, scale, scaleAt(tile, run), scaleLanes, y, yAt);
        }
    }

    @Override
    protected int rowsInRegisters() {
        return aligned && VectorSupport.active() ? Fp8RowsKernels.ROWS : 1;
    }

    @Override
    protected void multiplyRows(int tile, Rows x, int xColumn, Rows y, int yColumn, Scratch scratch) {
        clear(y, x.count(), yColumn, TILE);
        int count = runs.length - 1;
        float[] scaled = scratch.input(Scratch.FEW_ROWS * cols());
        for (int run = 0; run < count; ) {
            int end = run;
            while (end < count && quick(tile, end) && scale(x, xColumn, end, scaled)) {
                end++;
            }
            if (end > run) {
                multiplyRows(tile, run, end, x.count(), y, yColumn, scratch);
                run = end;
            } else {
                multiplyPanel(tile, runs[run], width(run), x, xColumn + runs[run], y, yColumn, scratch);
                run++;
            }
        }
    }

    private boolean scale(Rows x, int xColumn, int run, float[] scaled) {
        boolean inRange = true;
        for (int row = 0; row < x.count(); row++) {
            int at = x.offset(row) + xColumn + runs[run];
            inRange &= Fp8Kernels.scale(x.data(), at, width(run), scaled, row * cols() + runs[run]);
        }
        return inRange;
    }

    private void multiplyRows(int tile, int first, int end, int n, Rows y, int yColumn, Scratch scratch) {
        float[] sums = scratch.sums(Scratch.FEW_ROWS * TILE * (end - first));
        float[] scaled = scratch.input(Scratch.FEW_ROWS * cols());
        Fp8RowsKernels.multiplyRuns(tiles, tile * tileBytes, groupBytes, runs, first, end, scaled, n, sums);
        for (int row = 0; row < n; row++) {
            int count = end - first;
            addScaled(tile, first, count, sums, TILE * row * count, y.data(), y.offset(row) + yColumn);
        }
    }

    private boolean quick(int tile, int run) {
        return careful[tile * (runs.length - 1) + run] == 0;
    }

    @Override
    protected void decodePanel(int tile, int from, int count, Scratch scratch) {
        int run = run(from);
        long tileAt = tile * tileBytes;
        if (!VectorSupport.active()) {
            Fp8Reference.decodePanelCarefully(tiles, tileAt, groupBytes, from, count, scratch.panel());
        } else if (aligned && quick(tile, run)) {
            long at = tileAt + Fp8Layout.wordOffset(from);
            Fp8Kernels.decodePanel(tiles, at, groupBytes, count, scratch.panel());
        } else {
            Fp8Kernels.decodePanelCarefully(tiles, tileAt, groupBytes, from, count, scratch.panel());
        }
        if (scaleLanes == 1) {
            Arrays.fill(scratch.scale(), scale.get(FLOAT, scaleAt(tile, run)));
        } else {
            MemorySegment.copy(scale, FLOAT, scaleAt(tile, run), scratch.scale(), 0, TILE);
        }
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
            byte code = tiles.get(ValueLayout.JAVA_BYTE, Fp8Layout.offset(row, col, cols()));
            long at = scaleAt(row / TILE, run(col)) + 4L * (row % TILE % scaleLanes);
            dst[dstAt + col] = E4m3.toFloat(code) * scale.get(FLOAT, at);
        }
    }

    private long scaleAt(int tile, int run) {
        return 4L * scaleLanes * ((long) tile * (runs.length - 1) + run);
    }

    private int run(int col) {
        int at = Arrays.binarySearch(runs, col);
        return at >= 0 ? at : -at - 2;
    }
}
