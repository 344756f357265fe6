package dev.remora.mla;

import dev.remora.core.Rows;

/**
 * The stretch of a sequence that the expanded evaluation works on, shared by all workers: its latents, the keys and values
 * that 16 heads expand from them, and what the rows of the step have summed for these heads.
 */
final class ExpandedContext {
    /** Heads that are expanded at a time. */
    static final int HEADS = 16;

    private static final int MOST_POSITIONS = 512;

    private final int capacity;
    private final int unitsPerHead;
    private final int slotSize;
    private final Rows latents;
    private final float[] rotatedKeys;
    private final float[][] heads;
    private final Rows[][] blocks;
    private final float[] slots;
    private int from;
    private int count;

    /**
     * Storage for one stretch at a time.
     *
     * @param maxRows most rows of a step, which is also what a multiplication takes
     */
    ExpandedContext(MlaConfig config, int maxRows) {
        capacity = capacity(maxRows);
        unitsPerHead = Math.ceilDiv(maxRows, OnlineAttention.QUERIES);
        slotSize = OnlineAttention.slotSize(OnlineAttention.blocks(config.vHeadDim()));
        int headCount = Math.min(HEADS, config.numAttentionHeads());
        int blockCount = headBlocks(config);
        latents = new Rows(capacity, config.kvLoraRank());
        rotatedKeys = new float[OnlineAttention.blocks(config.qkRopeHeadDim()) * capacity * OnlineAttention.BLOCK];
        heads = new float[headCount][];
        blocks = new Rows[headCount][blockCount];
        for (int head = 0; head < headCount; head++) {
            Rows all = new Rows(blockCount * capacity, OnlineAttention.BLOCK);
            heads[head] = all.data();
            for (int block = 0; block < blockCount; block++) {
                blocks[head][block] = all.selection(capacity);
                blocks[head][block].select(all, block * capacity, capacity);
            }
        }
        slots = new float[headCount * unitsPerHead * slotSize];
    }

    /** Bytes that a context takes. */
    static long bytes(MlaConfig config, int maxRows) {
        long headCount = Math.min(HEADS, config.numAttentionHeads());
        long capacity = capacity(maxRows);
        long headRows = headBlocks(config) * capacity;
        long keys = OnlineAttention.blocks(config.qkRopeHeadDim()) * capacity * OnlineAttention.BLOCK;
        long slots = headCount
                * Math.ceilDiv(maxRows, OnlineAttention.QUERIES)
                * OnlineAttention.slotSize(OnlineAttention.blocks(config.vHeadDim()));
        return Rows.bytes((int) capacity, config.kvLoraRank())
                + Float.BYTES * (keys + slots)
                + headCount * (Rows.bytes((int) headRows, OnlineAttention.BLOCK) + Integer.BYTES * headRows);
    }

    /** Whole pages, at least one. */
    private static int capacity(int maxRows) {
        int pages = Math.max(maxRows / OnlineAttention.POSITIONS, 1);
        return Math.min(pages * OnlineAttention.POSITIONS, MOST_POSITIONS);
    }

    private static int headBlocks(MlaConfig config) {
        return OnlineAttention.blocks(config.qkNopeHeadDim()) + OnlineAttention.blocks(config.vHeadDim());
    }

    /** Goes to {@code positions} positions from {@code first}. */
    void begin(int first, int positions) {
        from = first;
        count = positions;
        latents.resize(positions);
    }

    /** Most positions at a time. */
    int capacity() {
        return capacity;
    }

    /** First position. */
    int from() {
        return from;
    }

    /** Positions in use. */
    int count() {
        return count;
    }

    /** c_KV, (positions, c). */
    Rows latents() {
        return latents;
    }

    /** k_R, (blocks, capacity, 64). */
    float[] rotatedKeys() {
        return rotatedKeys;
    }

    /** k_C and v of one head, (blocks, capacity, 64); the keys' blocks come first. */
    float[] blocks(int head) {
        return heads[head];
    }

    /** The rows of one of these blocks, (capacity, 64). */
    Rows block(int head, int block) {
        return blocks[head][block];
    }

    /** Index in {@link #slots} of 16 rows of one head. */
    int slot(int head, int unit) {
        return (head * unitsPerHead + unit) * slotSize;
    }

    float[] slots() {
        return slots;
    }
}
