package dev.remora.fp8;

import dev.remora.core.CheckpointException;
import dev.remora.core.Packing;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.core.weight.TileLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/**
 * A block-scaled FP8 matrix as a checkpoint stores it: codes row-major, and one factor for each block, blocks at the edges
 * being partial. A slice of rows keeps its place in the grid of blocks: a head of 112 rows may lie across two of them.
 */
public final class Fp8Matrix implements StoredMatrix {
    /** Name of the format, as safetensors writes it. */
    public static final String FORMAT = "F8_E4M3";

    private final String name;
    private final MemorySegment codes;
    private final BlockScales scales;
    private final int firstRow;
    private final int rows;
    private final int cols;
    private final boolean transposed;

    /**
     * @param name   of the tensor, for messages
     * @param codes  exactly rows * cols bytes
     * @param scales of the whole matrix
     */
    public Fp8Matrix(String name, MemorySegment codes, BlockScales scales, int rows, int cols) {
        this(name, codes, scales, 0, rows, cols, false);
        if (codes.byteSize() != (long) rows * cols) {
            throw new IllegalArgumentException(
                    name + ": " + codes.byteSize() + " bytes for an FP8 matrix (" + rows + ", " + cols + ")");
        }
    }

    private Fp8Matrix(
            String name,
            MemorySegment codes,
            BlockScales scales,
            int firstRow,
            int rows,
            int cols,
            boolean transposed) {
        this.name = name;
        this.codes = codes;
        this.scales = scales;
        this.firstRow = firstRow;
        this.rows = rows;
        this.cols = cols;
        this.transposed = transposed;
    }

    @Override
    public int rows() {
        return transposed ? cols : rows;
    }

    @Override
    public int cols() {
        return transposed ? rows : cols;
    }

    @Override
    public String format() {
        return FORMAT;
    }

    @Override
    public Fp8Matrix rows(int from, int count) {
        if (transposed) {
            throw new UnsupportedOperationException("take rows before transposing");
        }
        Objects.checkFromIndexSize(from, count, rows);
        return new Fp8Matrix(
                name,
                codes.asSlice((long) from * cols, (long) count * cols),
                scales,
                firstRow + from,
                count,
                cols,
                false);
    }

    @Override
    public Fp8Matrix transposed() {
        return new Fp8Matrix(name, codes, scales, firstRow, rows, cols, !transposed);
    }

    @Override
    public MemorySegment stored() {
        return codes;
    }

    @Override
    public Fp8Matrix over(MemorySegment elsewhere) {
        if (elsewhere.byteSize() != codes.byteSize()) {
            throw new IllegalArgumentException(
                    name + ": " + elsewhere.byteSize() + " bytes in place of " + codes.byteSize());
        }
        return new Fp8Matrix(name, elsewhere, scales, firstRow, rows, cols, transposed);
    }

    @Override
    public long packedBytes() {
        return TileLayout.bytes(rows(), cols(), 1) + scaleBytes(runs());
    }

    @Override
    public Packing packing(SegmentAllocator memory) {
        if (transposed) {
            checkCodes();
        }
        int[] runs = runs();
        MemorySegment tiles = memory.allocate(TileLayout.bytes(rows(), cols(), 1), TileLayout.ALIGNMENT);
        MemorySegment expanded = memory.allocate(scaleBytes(runs), 64);
        byte[] careful = new byte[tiles() * (runs.length - 1)];
        Fp8Weight weight = new Fp8Weight(tiles, rows(), cols(), runs, expanded, careful);
        return new Packing() {
            @Override
            public void fill(int from, int to) {
                for (int tile = from; tile < to; tile++) {
                    fillTile(tiles, tile);
                    markSubnormals(tiles, tile, runs, careful);
                    fillScales(expanded, runs, tile);
                }
            }

            @Override
            public Weight weight() {
                return weight;
            }
        };
    }

    private void fillTile(MemorySegment tiles, int tile) {
        if (transposed) {
            TileLayout.packTransposed(codes, 0, rows(), cols(), 1, Fp8Layout.GROUP, tiles, tile, tile + 1);
        } else {
            reject(TileLayout.pack(codes, 0, rows, cols, 1, Fp8Layout.GROUP, E4m3.CHECK, tiles, tile, tile + 1));
        }
    }

    /** The factors of a tile, (runs, {@link #scaleLanes}). */
    private void fillScales(MemorySegment expanded, int[] runs, int tile) {
        int lanes = scaleLanes();
        int count = Math.min(lanes, rows() - tile * Weight.TILE);
        for (int run = 0; run + 1 < runs.length; run++) {
            long at = (long) Float.BYTES * lanes * ((long) tile * (runs.length - 1) + run);
            for (int lane = 0; lane < count; lane++) {
                float factor = scale(tile * Weight.TILE + lane, runs[run]);
                expanded.set(Fp8Weight.FLOAT, at + (long) lane * Float.BYTES, factor);
            }
        }
    }

    private void markSubnormals(MemorySegment tiles, int tile, int[] runs, byte[] careful) {
        for (int run = 0; run + 1 < runs.length; run++) {
            int subnormals = Fp8Layout.subnormals(tiles, tile, cols(), runs[run], runs[run + 1]);
            careful[tile * (runs.length - 1) + run] = (byte) (subnormals > Fp8Weight.FEW_SUBNORMALS ? 1 : 0);
        }
    }

    /** 1 if the rows of every tile lie within one block, so that they share their scales; otherwise 64. */
    private int scaleLanes() {
        int block = transposed ? scales.blockCols() : scales.blockRows();
        int phase = transposed ? 0 : firstRow;
        for (int row = 0; row < rows(); row += Weight.TILE) {
            int last = Math.min(row + Weight.TILE, rows()) - 1;
            if ((phase + row) / block != (phase + last) / block) {
                return Weight.TILE;
            }
        }
        return 1;
    }

    @Override
    public Fp8Matrix copy(SegmentAllocator memory) {
        checkCodes();
        MemorySegment copy = memory.allocate(codes.byteSize(), 64).copyFrom(codes);
        return new Fp8Matrix(name, copy, scales, firstRow, rows, cols, transposed);
    }

    @Override
    public long storedBytes() {
        return codes.byteSize();
    }

    private long scaleBytes(int[] runs) {
        return (long) Float.BYTES * scaleLanes() * tiles() * (runs.length - 1);
    }

    private int tiles() {
        return (rows() + Weight.TILE - 1) / Weight.TILE;
    }

    /** Columns where the scale may change, and at least every {@link Scratch#PANEL_ROWS} columns. */
    private int[] runs() {
        int block = transposed ? scales.blockRows() : scales.blockCols();
        int phase = transposed ? firstRow : 0;
        int[] runs = new int[cols() + 1];
        int count = 0;
        for (int col = 0; col < cols(); ) {
            runs[count++] = col;
            int blockEnd = ((phase + col) / block + 1) * block - phase;
            col = Math.min(Math.min(blockEnd, col + Scratch.PANEL_ROWS), cols());
        }
        runs[count++] = cols();
        return Arrays.copyOf(runs, count);
    }

    private float scale(int row, int col) {
        return transposed ? scales.at(firstRow + col, row) : scales.at(firstRow + row, col);
    }

    private void checkCodes() {
        reject(E4m3.CHECK.find(codes, 0, codes.byteSize()));
    }

    /** @param near offset of a NaN code or of a neighbour before it; -1 if there is none */
    private void reject(long near) {
        if (near < 0) {
            return;
        }
        long at = near;
        while (!isNaN(at)) {
            at++;
        }
        throw new CheckpointException(name + ": expected FP8 numbers, found a NaN code (0x7F or 0xFF) in row "
                + (firstRow + at / cols) + ", column " + at % cols
                + "; the file is damaged or was quantised wrongly");
    }

    private boolean isNaN(long at) {
        return (codes.get(ValueLayout.JAVA_BYTE, at) & 0x7f) == 0x7f;
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        Objects.checkIndex(row, rows());
        int block = transposed ? scales.blockRows() : scales.blockCols();
        int phase = transposed ? firstRow : 0;
        for (int from = 0; from < cols(); ) {
            int to = Math.min(cols(), ((phase + from) / block + 1) * block - phase);
            float factor = scale(row, from);
            for (int col = from; col < to; col++) {
                long index = transposed ? (long) col * cols + row : (long) row * cols + col;
                dst[dstAt + col] = E4m3.toFloat(codes.get(ValueLayout.JAVA_BYTE, index)) * factor;
            }
            from = to;
        }
    }
}
