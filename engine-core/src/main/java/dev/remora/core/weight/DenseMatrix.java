package dev.remora.core.weight;

import dev.remora.core.CheckpointException;
import dev.remora.core.Packing;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Objects;

/** A dense matrix as a checkpoint stores it: row-major, little-endian, anywhere in memory. */
public final class DenseMatrix implements StoredMatrix {
    private final String name;
    private final DenseFormat format;
    private final MemorySegment data;
    private final int firstRow;
    private final int rows;
    private final int cols;
    private final boolean transposed;

    /**
     * @param name of the tensor, for messages
     * @param data exactly rows * cols elements
     */
    public DenseMatrix(String name, DenseFormat format, MemorySegment data, int rows, int cols) {
        this(name, format, data, 0, rows, cols, false);
        if (data.byteSize() != (long) rows * cols * format.elementBytes()) {
            throw new IllegalArgumentException(
                    name + ": " + data.byteSize() + " bytes for a " + format + " matrix (" + rows + ", " + cols + ")");
        }
    }

    private DenseMatrix(
            String name, DenseFormat format, MemorySegment data, int firstRow, int rows, int cols, boolean transposed) {
        this.name = name;
        this.format = format;
        this.data = data;
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
        return format.name();
    }

    @Override
    public DenseMatrix rows(int from, int count) {
        if (transposed) {
            throw new UnsupportedOperationException("take rows before transposing");
        }
        Objects.checkFromIndexSize(from, count, rows);
        long rowBytes = (long) cols * format.elementBytes();
        MemorySegment slice = data.asSlice(from * rowBytes, count * rowBytes);
        return new DenseMatrix(name, format, slice, firstRow + from, count, cols, false);
    }

    @Override
    public DenseMatrix transposed() {
        return new DenseMatrix(name, format, data, firstRow, rows, cols, !transposed);
    }

    @Override
    public MemorySegment stored() {
        return data;
    }

    @Override
    public DenseMatrix over(MemorySegment elsewhere) {
        if (elsewhere.byteSize() != data.byteSize()) {
            throw new IllegalArgumentException(
                    name + ": " + elsewhere.byteSize() + " bytes in place of " + data.byteSize());
        }
        return new DenseMatrix(name, format, elsewhere, firstRow, rows, cols, transposed);
    }

    @Override
    public long packedBytes() {
        return TileLayout.bytes(rows(), cols(), format.elementBytes());
    }

    @Override
    public Packing packing(SegmentAllocator memory) {
        if (transposed) {
            checkCodes();
        }
        MemorySegment tiles = memory.allocate(packedBytes(), 64);
        DenseWeight weight = new DenseWeight(format, tiles, rows(), cols());
        return new Packing() {
            @Override
            public void fill(int from, int to) {
                DenseMatrix.this.fill(tiles, from, to);
            }

            @Override
            public Weight weight() {
                return weight;
            }
        };
    }

    private void fill(MemorySegment tiles, int from, int to) {
        int bytes = format.elementBytes();
        if (transposed) {
            TileLayout.packTransposed(data, 0, rows(), cols(), bytes, Weight.TILE, tiles, from, to);
        } else {
            reject(TileLayout.pack(data, 0, rows, cols, bytes, Weight.TILE, format.check(), tiles, from, to));
        }
    }

    @Override
    public DenseMatrix copy(SegmentAllocator memory) {
        checkCodes();
        MemorySegment copy = memory.allocate(data.byteSize(), 64).copyFrom(data);
        return new DenseMatrix(name, format, copy, firstRow, rows, cols, transposed);
    }

    @Override
    public long storedBytes() {
        return data.byteSize();
    }

    /** What {@link #pack} refuses. */
    private void checkCodes() {
        if (!format.check().equals(CodeCheck.NONE)) {
            reject(format.check().find(data, 0, data.byteSize()));
        }
    }

    /** @param at offset of a bad code or of a neighbour before it; -1 if there is none */
    private void reject(long at) {
        if (at < 0) {
            return;
        }
        long index = at / format.elementBytes();
        while (Float.isFinite(format.decode(data, index * format.elementBytes()))) {
            index++;
        }
        throw new CheckpointException(name + ": expected finite numbers, found an infinity or NaN in row "
                + (firstRow + index / cols) + ", column " + index % cols
                + "; the file is damaged or was saved from a broken model");
    }

    @Override
    public void dequantizeRow(int row, float[] dst, int dstAt) {
        Objects.checkIndex(row, rows());
        int bytes = format.elementBytes();
        for (int col = 0; col < cols(); col++) {
            long index = transposed ? (long) col * cols + row : (long) row * cols + col;
            dst[dstAt + col] = format.decode(data, index * bytes);
        }
    }
}
