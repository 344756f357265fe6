package dev.remora.fp8;

import dev.remora.core.CheckpointException;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.core.weight.TileLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
    public long packedBytes() {
        return TileLayout.bytes(rows(), cols(), 1) + scaleBytes(runs());
    }

    @Override
    public Weight pack(Arena arena) {
        MemorySegment tiles;
        if (transposed) {
            checkCodes();
            tiles = TileLayout.packTransposed(codes, 0, rows(), cols(), 1, arena);
        } else {
            tiles = TileLayout.pack(codes, 0, rows, cols, 1, arena, E4m3::sound, this::notANumber);
        }
        int[] runs = runs();
        byte[] careful = new byte[tiles() * (runs.length - 1)];
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment copy = temporary.allocate(TileLayout.tileBytes(cols(), 1), 64);
            for (int tile = 0; tile < tiles(); tile++) {
                Fp8Layout.regroup(tiles, tile, cols(), copy);
                markSubnormals(tiles, tile, runs, careful);
            }
        }
        MemorySegment expanded = arena.allocate(scaleBytes(runs), 64);
        long at = 0;
        for (int tile = 0; tile < tiles(); tile++) {
            for (int run = 0; run + 1 < runs.length; run++) {
                for (int lane = 0; lane < scaleLanes(); lane++) {
                    int row = tile * Weight.TILE + lane;
                    expanded.set(Fp8Weight.FLOAT, at, row < rows() ? scale(row, runs[run]) : 0f);
                    at += Float.BYTES;
                }
            }
        }
        return new Fp8Weight(tiles, rows(), cols(), runs, expanded, careful);
    }

    private void markSubnormals(MemorySegment tiles, int tile, int[] runs, byte[] careful) {
        long groupBytes = Fp8Layout.groupBytes(cols());
        for (int run = 0; run + 1 < runs.length; run++) {
            long from = Fp8Layout.wordOffset(runs[run]);
            long bytes = Fp8Layout.wordOffset(runs[run + 1] + TileLayout.WORD - 1) - from;
            int subnormals = 0;
            for (int group = 0; group < Weight.TILE / Fp8Layout.GROUP; group++) {
                long groupAt = tile * TileLayout.tileBytes(cols(), 1) + group * groupBytes;
                subnormals += Fp8Layout.subnormals(tiles, groupAt + from, bytes);
            }
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
    public Fp8Matrix copy(Arena arena) {
        checkCodes();
        MemorySegment copy = arena.allocate(codes.byteSize(), 64).copyFrom(codes);
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
        for (long at = 0; at < codes.byteSize(); at++) {
            if (isNaN(at)) {
                throw notANumber((int) (at / cols), at % cols);
            }
        }
    }

    /** The first NaN code of a row from a column on, where one is known to be. */
    private CheckpointException notANumber(int row, long col) {
        long at = (long) row * cols + col;
        while (!isNaN(at)) {
            at++;
        }
        return new CheckpointException(name + ": expected FP8 numbers, found a NaN code (0x7F or 0xFF) in row "
                + (firstRow + row) + ", column " + at % cols + "; the file is damaged or was quantised wrongly");
    }

    private boolean isNaN(long at) {
        return (codes.get(ValueLayout.JAVA_BYTE, at) & 0x7f) == 0x7f;
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        Objects.checkIndex(row, rows());
        for (int col = 0; col < cols(); col++) {
            long index = transposed ? (long) col * cols + row : (long) row * cols + col;
            dst[dstAt + col] = E4m3.toFloat(codes.get(ValueLayout.JAVA_BYTE, index)) * scale(row, col);
        }
    }
}
