package dev.remora.models;

import dev.remora.core.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** The kernels of attention, as {@link KernelTrial} tries all others: a tile of 64 positions meets 16 queries. */
final class AttentionTrial {
    private static final int TILE = Kernels.TILE;
    private static final int LANES = Kernels.LANES;

    /** A row of the cache: blocks of 64 columns, and one that is partial. */
    private static final int CACHE_WIDTH = 2 * TILE + 24;

    private static final int CACHE_ROWS = 5;
    private static final int CACHE_STRIDE = CACHE_ROWS * TILE;

    private final SplittableRandom random;
    private final float[] queries = new float[TILE * LANES];
    private final float[] keys = new float[TILE * TILE];
    private final float[] scores = new float[TILE * LANES];
    private final float[] state = new float[3 * LANES];
    private final float[] values = new float[LANES * TILE];
    private final float[] blocks = new float[3 * CACHE_STRIDE];
    private final MemorySegment cache;

    /** Data that lives as long as the arena. */
    AttentionTrial(Arena arena, SplittableRandom random) {
        this.random = random;
        for (float[] data : new float[][] {queries, keys}) {
            for (int i = 0; i < data.length; i++) {
                data[i] = (float) random.nextDouble(-1, 1);
            }
        }
        cache = arena.allocate(2L * CACHE_ROWS * CACHE_WIDTH, 64);
    }

    List<KernelTrial.Operation> operations() {
        return List.of(
                new KernelTrial.Operation("attention, scores", this::score, this::scored),
                new KernelTrial.Operation("attention, softmax", this::weigh, this::weighed),
                new KernelTrial.Operation("attention, values", this::sum, this::summed),
                new KernelTrial.Operation("cache in BF16", this::cache, this::cached));
    }

    private void score() {
        Arrays.fill(scores, 0f);
        Kernels.multiplyNarrow(queries, 0, keys, 0, TILE, scores, 0);
    }

    private boolean scored() {
        int position = random.nextInt(TILE);
        int query = random.nextInt(LANES);
        float sum = 0;
        for (int i = 0; i < TILE; i++) {
            sum = Kernels.fma(queries[i * LANES + query], keys[position * TILE + i], sum);
        }
        return sum == scores[position * LANES + query];
    }

    private void weigh() {
        System.arraycopy(queries, 0, scores, 0, scores.length);
        Arrays.fill(state, 0, LANES, Float.NEGATIVE_INFINITY);
        Arrays.fill(state, LANES, state.length, 0f);
        Kernels.softmaxColumns(scores, 0, TILE, state, 0, LANES, 2 * LANES);
    }

    private boolean weighed() {
        int query = random.nextInt(LANES);
        float max = Float.NEGATIVE_INFINITY;
        for (int position = 0; position < TILE; position++) {
            max = Math.max(max, queries[position * LANES + query]);
        }
        float sum = 0;
        for (int position = 0; position < TILE; position++) {
            float weight = Kernels.exp(queries[position * LANES + query] - max);
            if (scores[position * LANES + query] != weight) {
                return false;
            }
            sum += weight;
        }
        return state[query] == max && state[LANES + query] == sum;
    }

    private void sum() {
        Arrays.fill(values, 0f);
        Kernels.multiplyWide(keys, 0, TILE, queries, 0, LANES, values, 0);
    }

    private boolean summed() {
        int query = random.nextInt(LANES);
        int column = random.nextInt(TILE);
        float sum = 0;
        for (int position = 0; position < TILE; position++) {
            sum = Kernels.fma(keys[position * TILE + column], queries[position * LANES + query], sum);
        }
        return sum == values[query * TILE + column];
    }

    private void cache() {
        for (int row = 0; row < CACHE_ROWS; row++) {
            Kernels.toBf16(keys, row * CACHE_WIDTH, cache, 2L * row * CACHE_WIDTH, CACHE_WIDTH);
        }
        Kernels.fromBf16Blocks(cache, 0, 2 * CACHE_WIDTH, CACHE_ROWS, CACHE_WIDTH, blocks, 0, CACHE_STRIDE);
    }

    private boolean cached() {
        int row = random.nextInt(CACHE_ROWS);
        int column = random.nextInt(CACHE_WIDTH);
        int bits = Float.floatToRawIntBits(keys[row * CACHE_WIDTH + column]);
        // To nearest, ties to even.
        int rounded = (bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000;
        return blocks[column / TILE * CACHE_STRIDE + row * TILE + column % TILE] == Float.intBitsToFloat(rounded);
    }
}
