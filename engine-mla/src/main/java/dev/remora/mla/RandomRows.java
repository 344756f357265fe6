package dev.remora.mla;

import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import java.util.SplittableRandom;

/**
 * Fills caches with random rows: to measure attention at a depth without the prefill that leads there. Values are Gaussian
 * with variance 1, the size that the norm gives to latents.
 */
public final class RandomRows {
    /** Random values; a row is any part of them, so that a long cache costs little more than writing it. */
    private static final int VALUES = 1 << 16;

    private final LatentCache cache;
    private final int width;
    private final float[] values;
    private final SplittableRandom random;

    /** The same seed gives the same rows. */
    public RandomRows(MlaConfig config, CacheFormat format, long seed) {
        cache = new LatentCache(format, config);
        width = config.cacheWidth();
        values = new float[VALUES + width];
        random = new SplittableRandom(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
    }

    /**
     * Makes a sequence one of {@code positions} cached rows, all of them random.
     *
     * @param layers of the model
     * @throws dev.remora.core.RemoraException if the sequence or its pool is too small
     */
    public void fill(CachePool.Sequence sequence, int layers, int positions) {
        sequence.reserve(positions);
        for (int layer = 0; layer < layers; layer++) {
            for (int position = 0; position < positions; position++) {
                cache.store(sequence, layer, position, values, random.nextInt(VALUES));
            }
        }
        sequence.resize(positions);
    }
}
