package dev.remora.mla;

import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.Rows;
import dev.remora.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How a row is stored in the cache: {@code [latent c | rotated key r]}, in f32 or BF16. The row has the same size for every
 * number of heads; only the number of rows grows with the context.
 */
final class LatentCache {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final CacheFormat format;
    private final int latentWidth;
    private final int keyWidth;

    LatentCache(CacheFormat format, MlaConfig config) {
        this.format = format;
        this.latentWidth = config.kvLoraRank();
        this.keyWidth = config.qkRopeHeadDim();
    }

    int rowBytes() {
        return (latentWidth + keyWidth) * format.bytes();
    }

    /** Blocks of a tile that holds both parts, each from a block of its own. */
    int tileBlocks() {
        return OnlineAttention.blocks(latentWidth) + OnlineAttention.blocks(keyWidth);
    }

    /** Stores one row. */
    void store(CachePool.Sequence sequence, int layer, int position, float[] row, int rowAt) {
        MemorySegment page = sequence.page(position);
        long at = sequence.offset(layer, position);
        int width = latentWidth + keyWidth;
        switch (format) {
            case F32 -> MemorySegment.copy(row, rowAt, page, F32, at, width);
            case BF16 -> Kernels.toBf16(row, rowAt, page, at, width);
        }
    }

    /**
     * Loads {@code count} positions of one page, from its first, as f32.
     *
     * @param tile (blocks, 64 positions, 64): the latents' blocks, then the keys'; columns past either are left alone
     */
    void loadTile(CachePool.Sequence sequence, int layer, int firstPosition, int count, float[] tile) {
        int stride = OnlineAttention.TILE_SIZE;
        if (latentWidth % OnlineAttention.BLOCK == 0) {
            // Both parts at once, in the order of memory.
            loadBlocks(sequence, layer, firstPosition, count, 0, latentWidth + keyWidth, tile, 0, stride);
            return;
        }
        loadBlocks(sequence, layer, firstPosition, count, 0, latentWidth, tile, 0, stride);
        loadKeys(sequence, layer, firstPosition, count, tile, OnlineAttention.blocks(latentWidth) * stride, stride);
    }

    /** Loads the latents of {@code count} positions of one page into rows of a matrix. */
    void loadLatents(CachePool.Sequence sequence, int layer, int firstPosition, int count, Rows rows, int row) {
        MemorySegment page = sequence.page(firstPosition);
        for (int i = 0; i < count; i++) {
            long at = sequence.offset(layer, firstPosition + i);
            switch (format) {
                case F32 -> MemorySegment.copy(page, F32, at, rows.data(), rows.offset(row + i), latentWidth);
                case BF16 -> Kernels.fromBf16(page, at, rows.data(), rows.offset(row + i), latentWidth);
            }
        }
    }

    /** Loads the rotated keys of {@code count} positions of one page into blocks that lie {@code stride} apart. */
    void loadKeys(
            CachePool.Sequence sequence,
            int layer,
            int firstPosition,
            int count,
            float[] keys,
            int keysAt,
            int stride) {
        loadBlocks(sequence, layer, firstPosition, count, latentWidth, keyWidth, keys, keysAt, stride);
    }

    private void loadBlocks(
            CachePool.Sequence sequence,
            int layer,
            int firstPosition,
            int count,
            int column,
            int width,
            float[] blocks,
            int at,
            int stride) {
        MemorySegment page = sequence.page(firstPosition);
        long from = sequence.offset(layer, firstPosition) + (long) column * format.bytes();
        switch (format) {
            case F32 -> {
                for (int i = 0; i < count; i++) {
                    for (int done = 0; done < width; done += OnlineAttention.BLOCK) {
                        MemorySegment.copy(
                                page,
                                F32,
                                from + (long) i * rowBytes() + (long) done * Float.BYTES,
                                blocks,
                                at + done / OnlineAttention.BLOCK * stride + i * OnlineAttention.BLOCK,
                                Math.min(OnlineAttention.BLOCK, width - done));
                    }
                }
            }
            case BF16 -> Kernels.fromBf16Blocks(page, from, rowBytes(), count, width, blocks, at, stride);
        }
    }
}
