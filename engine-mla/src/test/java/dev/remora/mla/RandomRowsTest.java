package dev.remora.mla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.ContextOverflowException;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomRowsTest {
    private static final int LAYERS = 3;
    private static final int POSITIONS = 130;
    private static final MlaConfig CONFIG = new MlaConfig(64, 2, 0, 48, 16, 8, 16, 1f);

    @ParameterizedTest
    @EnumSource
    void everyRowOfEveryLayerIsRandomAndOfUnitSize(CacheFormat format) {
        float[] values = filled(format, 5);
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            sum += value;
            squares += value * value;
        }
        assertEquals(0, sum / values.length, 0.05);
        assertEquals(1, squares / values.length, 0.05);
        int width = CONFIG.cacheWidth();
        for (int row = 0; row < LAYERS * POSITIONS; row++) {
            float[] one = Arrays.copyOfRange(values, row * width, (row + 1) * width);
            double size = 0;
            for (float value : one) {
                size += value * value;
            }
            assertTrue(size > width / 10.0, "row " + row + " was not filled");
        }
        assertTrue(Arrays.equals(values, filled(format, 5)), "the same seed");
        assertNotEquals(Arrays.hashCode(values), Arrays.hashCode(filled(format, 6)), "another seed");
    }

    @ParameterizedTest
    @EnumSource
    void aSequenceThatIsTooShortIsRefused(CacheFormat format) {
        try (CachePool pool = pool(format)) {
            CachePool.Sequence sequence = pool.open(10);
            RandomRows rows = new RandomRows(CONFIG, format, 1);
            assertThrows(ContextOverflowException.class, () -> rows.fill(sequence, LAYERS, 11));
        }
    }

    private static CachePool pool(CacheFormat format) {
        return new CachePool(LAYERS, CONFIG.cacheWidth() * format.bytes(), 1 << 24);
    }

    private static float[] filled(CacheFormat format, long seed) {
        try (CachePool pool = pool(format)) {
            CachePool.Sequence sequence = pool.open(POSITIONS);
            new RandomRows(CONFIG, format, seed).fill(sequence, LAYERS, POSITIONS);
            assertEquals(POSITIONS, sequence.length());
            LatentCache cache = new LatentCache(format, CONFIG);
            int width = CONFIG.cacheWidth();
            float[] tile = new float[cache.tileBlocks() * OnlineAttention.TILE_SIZE];
            float[] values = new float[LAYERS * POSITIONS * width];
            int at = 0;
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int from = 0; from < POSITIONS; from += CachePool.PAGE_ROWS) {
                    int count = Math.min(CachePool.PAGE_ROWS, POSITIONS - from);
                    cache.loadTile(sequence, layer, from, count, tile);
                    for (int row = 0; row < count; row++) {
                        // One block of latents and one of keys; the columns past either stay empty.
                        int rowAt = row * OnlineAttention.BLOCK;
                        System.arraycopy(tile, rowAt, values, at, CONFIG.kvLoraRank());
                        System.arraycopy(
                                tile,
                                OnlineAttention.TILE_SIZE + rowAt,
                                values,
                                at + CONFIG.kvLoraRank(),
                                CONFIG.qkRopeHeadDim());
                        at += width;
                    }
                }
            }
            return values;
        }
    }
}
