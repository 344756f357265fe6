package dev.remora.core;

import dev.remora.core.kernel.Kernels;
import java.util.Optional;

/**
 * An immutable matrix (rows, cols) in one stored format, laid out in tiles of {@value #TILE} output rows with lane = row.
 * Every output element is one chain of fused multiply-adds in ascending order of the column, so it has the same bits for
 * any number of rows in the step, any vector width and any number of threads. Safe to share.
 */
public interface Weight {
    /** Output rows of one tile, the unit of parallel work. */
    int TILE = Kernels.TILE;

    /** From so many rows on they do not stay in L2 from one tile to the next: several tiles take turns with them. */
    int MANY_ROWS = 64;

    int rows();

    int cols();

    /** Name of the stored format, for example {@code BF16}. */
    String format();

    /** Bytes in memory, which are also the bytes that one multiplication reads. */
    long bytes();

    /**
     * What has to be done to rows before they are multiplied; empty for most formats. {@link #multiply} does not do it: whoever
     * calls it does, once for all tiles.
     */
    default Optional<InputTransform> inputTransform() {
        return Optional.empty();
    }

    default int tiles() {
        return (rows() + TILE - 1) / TILE;
    }

    /**
     * One tile of Y = X W^T: y[i][yColumn + r] = sum over c of W[r][c] * x[i][xColumn + c], for all rows i of x and the
     * rows r of the tile.
     *
     * @param x       (n, at least xColumn + cols)
     * @param y       (n, at least yColumn + rows); only the tile's columns are written
     * @param scratch of the calling worker
     */
    void multiply(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch);

    /**
     * As {@link #multiply}, for {@code count} neighbouring tiles, whose columns of x then meet a cache that holds them: worth it
     * where x exceeds L2.
     */
    default void multiplyTiles(Rows x, int xColumn, Rows y, int yColumn, int tile, int count, Scratch scratch) {
        for (int each = tile; each < tile + count; each++) {
            multiply(x, xColumn, y, yColumn, each, scratch);
        }
    }

    /** Writes row {@code row}, decoded to f32, to {@code cols} values of dst. */
    void dequantizeRow(int row, float[] dst, int dstAt);
}
