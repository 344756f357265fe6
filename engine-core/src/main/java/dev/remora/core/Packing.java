package dev.remora.core;

/** A weight in the making: its memory is allocated, its tiles are filled in any order, by several threads if need be. */
public interface Packing {
    /**
     * Copies tiles [from, to) of 64 rows each from the stored matrix.
     *
     * @throws CheckpointException if they hold codes that are no numbers
     */
    void fill(int from, int to);

    /** The weight, to be used once every tile is filled and visible to the user. */
    Weight weight();
}
