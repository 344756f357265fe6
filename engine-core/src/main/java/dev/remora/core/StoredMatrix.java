package dev.remora.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A matrix as a checkpoint stores it, row-major, before it is repacked into a {@link Weight}. Slices and transposition
 * are views; a format with companions, such as block scales, carries them along.
 */
public interface StoredMatrix {
    int rows();

    int cols();

    /** Name of the stored format, for example {@code F8_E4M3}. */
    String format();

    /** A view of {@code count} rows from {@code from}. */
    StoredMatrix rows(int from, int count);

    /** The transposed view, (cols, rows). */
    StoredMatrix transposed();

    /** The bytes of its elements as stored, without companions; those of the whole matrix where it is transposed. */
    MemorySegment stored();

    /**
     * This matrix with its elements elsewhere: read into memory of the caller's own, for example.
     *
     * @param data as many bytes as {@link #stored} has
     */
    StoredMatrix over(MemorySegment data);

    /** Bytes that {@link #pack} will allocate. */
    long packedBytes();

    /**
     * Copies the matrix into tiles of 64 rows, 64-byte-aligned.
     *
     * @throws CheckpointException if it holds codes that are no numbers
     */
    default Weight pack(Arena arena) {
        Packing packing = packing(arena);
        Weight weight = packing.weight();
        packing.fill(0, weight.tiles());
        return weight;
    }

    /**
     * As {@link #pack}, in steps that threads may share.
     *
     * @param memory gives zeroed memory, as arenas do
     */
    Packing packing(SegmentAllocator memory);

    /** The same matrix in memory of its own, still row-major: for lookups by row. */
    StoredMatrix copy(SegmentAllocator memory);

    /** Bytes that {@link #copy} will allocate. */
    long storedBytes();

    /** Writes row {@code row}, decoded to f32, to {@code cols} values of dst. */
    void dequantizeRow(int row, float[] dst, int dstAt);
}
