package dev.remora.core;

import java.lang.foreign.Arena;

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

    /** Bytes that {@link #pack} will allocate. */
    long packedBytes();

    /**
     * Copies the matrix into tiles of 64 rows, 64-byte-aligned.
     *
     * @throws CheckpointException if it holds codes that are no numbers
     */
    Weight pack(Arena arena);

    /** Writes row {@code row}, decoded to f32, to {@code cols} values of dst. */
    void dequantizeRow(int row, float[] dst, int dstAt);
}
