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
    private final int width;

    LatentCache(CacheFormat format, MlaConfig config) {
        this.format = format;
        this.width = config.cacheWidth();
    }

    int rowBytes() {
        return width * format.bytes();
    }

    /** Stores one row. */
    void store(CachePool.Sequence sequence, int layer, int position, float[] row, int rowAt) {
        MemorySegment page = sequence.page(position);
        long at = sequence.offset(layer, position);
        switch (format) {
            case F32 -> MemorySegment.copy(row, rowAt, page, F32, at, width);
            case BF16 -> Kernels.toBf16(row, rowAt, page, at, width);
        }
    }

    /** Loads the rows of {@code count} positions of one page, from its first, as f32. */
    void load(CachePool.Sequence sequence, int layer, int firstPosition, int count, Rows tile) {
        MemorySegment page = sequence.page(firstPosition);
        for (int i = 0; i < count; i++) {
            long at = sequence.offset(layer, firstPosition + i);
            switch (format) {
                case F32 -> MemorySegment.copy(page, F32, at, tile.data(), tile.offset(i), width);
                case BF16 -> Kernels.fromBf16(page, at, tile.data(), tile.offset(i), width);
            }
        }
        tile.resize(count);
    }
}
