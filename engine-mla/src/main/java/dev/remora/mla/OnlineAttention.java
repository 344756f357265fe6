package dev.remora.mla;

import dev.remora.core.CachePool;
import dev.remora.core.kernel.Kernels;
import java.util.Arrays;

/**
 * The step that both evaluations share: 16 queries, side by side in the lanes, meet a tile of up to 64 positions with an
 * online softmax (arXiv:1805.02867). Absorbed, the queries are heads of one row and keys and values are the cached latents;
 * expanded, they are rows of one head. Everything comes in blocks of 64 columns, so that all strides are constants:
 *
 * <pre>
 *   queries: (blocks, 64, 16)      keys, values: (blocks, 64 positions, 64)      scores: (64 positions, 16)
 *   slot:    | maxima 16 | sums 16 | shrink 16 | weighted values (blocks, 16, 64) |
 * </pre>
 */
final class OnlineAttention {
    /** Queries of one slot; as many as the widest vectors have lanes. */
    static final int QUERIES = Kernels.LANES;

    /** Positions of one tile: a page of the cache. */
    static final int POSITIONS = CachePool.PAGE_ROWS;

    /** Columns of one block. */
    static final int BLOCK = Kernels.TILE;

    /** Values of a block of keys or values. */
    static final int TILE_SIZE = POSITIONS * BLOCK;

    /** Values of a block of queries. */
    static final int PANEL_SIZE = BLOCK * QUERIES;

    private static final int SUMS = QUERIES;
    private static final int SHRINK = 2 * QUERIES;
    private static final int VALUES = 3 * QUERIES;

    private OnlineAttention() {}

    /** Blocks that hold {@code width} columns. */
    static int blocks(int width) {
        return Math.ceilDiv(width, BLOCK);
    }

    static int slotSize(int valueBlocks) {
        return VALUES + valueBlocks * QUERIES * BLOCK;
    }

    /** Makes a slot one that has seen no position. */
    static void clear(float[] slots, int slot, int valueBlocks) {
        Arrays.fill(slots, slot, slot + QUERIES, Float.NEGATIVE_INFINITY);
        Arrays.fill(slots, slot + QUERIES, slot + slotSize(valueBlocks), 0f);
    }

    static float max(float[] slots, int slot, int query) {
        return slots[slot + query];
    }

    static float sum(float[] slots, int slot, int query) {
        return slots[slot + SUMS + query];
    }

    static void setMaxAndSum(float[] slots, int slot, int query, float max, float sum) {
        slots[slot + query] = max;
        slots[slot + SUMS + query] = sum;
    }

    /** Index of 64 weighted values of a query in its slot. */
    static int valuesAt(int slot, int block, int query) {
        return slot + VALUES + (block * QUERIES + query) * BLOCK;
    }

    /**
     * Adds to the scores what some blocks of columns give.
     *
     * @param keyStride from block to block
     */
    static void addScores(
            float[] queries,
            int queriesAt,
            int blocks,
            float[] keys,
            int keysAt,
            int keyStride,
            int positions,
            float[] scores) {
        int rows = Math.ceilDiv(positions, QUERIES) * QUERIES;
        for (int block = 0; block < blocks; block++) {
            Kernels.multiplyNarrow(
                    queries, queriesAt + block * PANEL_SIZE, keys, keysAt + block * keyStride, rows, scores, 0);
        }
    }

    /** Turns scores into weights, and shrinks what the slot holds to the new maxima. */
    static void weigh(float[] scores, int positions, float[] slots, int slot, int valueBlocks) {
        Kernels.softmaxColumns(scores, 0, positions, slots, slot, slot + SUMS, slot + SHRINK);
        for (int query = 0; query < QUERIES; query++) {
            float shrink = slots[slot + SHRINK + query];
            if (shrink != 1f) { // exactly 1 wherever the tile brings no new maximum
                for (int block = 0; block < valueBlocks; block++) {
                    Kernels.scale(shrink, slots, valuesAt(slot, block, query), BLOCK);
                }
            }
        }
    }

    /**
     * Adds the weighted values of the first {@code positions} positions.
     *
     * @param from    first query, a multiple of 4
     * @param queries how many, rounded up to 4
     */
    static void addValues(
            float[] weights,
            int positions,
            float[] values,
            int valuesAt,
            int valueStride,
            int valueBlocks,
            int from,
            int queries,
            float[] slots,
            int slot) {
        int rows = Math.ceilDiv(queries, Kernels.GROUP) * Kernels.GROUP;
        for (int block = 0; block < valueBlocks; block++) {
            Kernels.multiplyWide(
                    values,
                    valuesAt + block * valueStride,
                    positions,
                    weights,
                    from,
                    rows,
                    slots,
                    valuesAt(slot, block, from));
        }
    }

    /** Divides the values of one query by its sum, into {@code width} values of y. */
    static void finish(float[] slots, int slot, int query, float[] y, int yAt, int width) {
        float factor = 1f / sum(slots, slot, query);
        for (int from = 0; from < width; from += BLOCK) {
            int at = valuesAt(slot, from / BLOCK, query);
            int count = Math.min(BLOCK, width - from);
            Kernels.scale(factor, slots, at, count);
            System.arraycopy(slots, at, y, yAt + from, count);
        }
    }
}
