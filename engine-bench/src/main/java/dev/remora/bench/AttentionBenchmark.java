package dev.remora.bench;

import dev.remora.bench.support.AttentionWeights;
import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.Geometry;
import dev.remora.bench.support.Matrices;
import dev.remora.bench.support.Plain;
import dev.remora.bench.support.TeamBenchmark;
import dev.remora.core.Batch;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.Rope;
import dev.remora.core.RopeScaling;
import dev.remora.core.Rows;
import dev.remora.core.kernel.Kernels;
import dev.remora.mla.Evaluation;
import dev.remora.mla.MlaConfig;
import dev.remora.mla.MlaWorkspace;
import dev.remora.mla.MultiHeadLatentAttention;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Param;

/**
 * One layer's attention with all of its projections, on a sequence whose cache holds random rows up to the depth. Every
 * layer has weights and cache of its own, as in a model.
 */
public abstract class AttentionBenchmark extends TeamBenchmark {
    private static final double THETA = 10_000;

    /** A cached value is rounded to 8 bits. */
    private static final double BF16_ROUNDING = 0x1p-8;

    @Param({Geometry.V2_LITE, Geometry.V3})
    public String model;

    @Param("BF16")
    public String format;

    private MlaConfig config;
    private AttentionWeights weights;
    private MultiHeadLatentAttention[] layers;
    private CachePool pool;
    private CachePool.Sequence sequence;
    private Batch batch;
    private int[] ids;
    private Rows h;
    private Rows out;
    private int layer;
    private int first;
    private Cost cost;

    abstract Evaluation evaluation();

    /** Cached positions. */
    abstract int depth();

    /** New rows. */
    abstract int count();

    /** What attending takes at least, besides {@link AttentionWeights#projectionBytes}. */
    abstract Cost attending(MlaConfig shape, long cacheBytes, long keyAndValueBytes);

    @Override
    protected void build(Arena memory) {
        config = Geometry.attention(model, tiny());
        weights = AttentionWeights.random(config, format, memory);
        first = scaled(depth());
        long cacheBytes = (long) (first + count()) * config.cacheWidth() * CacheFormat.BF16.bytes();
        layers = new MultiHeadLatentAttention
                [copies(weights.projectionBytes() + weights.kvB().packedBytes() + cacheBytes)];
        var team = team(Math.max(count(), CachePool.PAGE_ROWS));
        Rope rope = new Rope(config.qkRopeHeadDim(), THETA, new RopeScaling.None());
        MlaWorkspace workspace = new MlaWorkspace(config, rope, CacheFormat.BF16, evaluation(), team, count());
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new MultiHeadLatentAttention(weights.pack(memory), workspace);
        }
        pool = new CachePool(layers.length, layers[0].cacheBytesPerRow(), Long.MAX_VALUE);
        sequence = pool.open(first + count());
        sequence.reserve(first);
        fillCache();
        sequence.resize(first);
        sequence.reserve(first + count());
        batch = new Batch(count());
        ids = new int[count()];
        h = Matrices.rows(count(), config.hiddenSize(), 9);
        out = new Rows(count(), config.hiddenSize());
        cost = cost(weights.projectionBytes(), 2 * count() * weights.projectionWeights())
                .then(attending(config, cacheBytes, weights.kvB().packedBytes()));
    }

    private void fillCache() {
        float[] values = Matrices.floats(1 << 16, 8);
        int at = 0;
        for (int i = 0; i < layers.length; i++) {
            for (int position = 0; position < first; position++) {
                at = (at + config.cacheWidth()) % (values.length - config.cacheWidth());
                Kernels.toBf16(values, at, sequence.page(position), sequence.offset(i, position), config.cacheWidth());
            }
        }
    }

    @Override
    protected void close() {
        pool.close();
    }

    @Override
    protected Cost invoke() {
        layer = next(layers.length);
        batch.clear();
        batch.add(sequence, ids, 0, ids.length);
        layers[layer].forward(h, batch, layer, out);
        return cost;
    }

    @Override
    protected float[] result() {
        return out.data();
    }

    /** Of the first and the last row at least: what it put into the cache, then its output over what the cache holds. */
    @Override
    protected void verify(float[] found) {
        var specification = new AttentionSpecification(weights, THETA);
        float[][] cache = new float[first + count()][config.cacheWidth()];
        for (int position = 0; position < cache.length; position++) {
            Kernels.fromBf16(
                    sequence.page(position), sequence.offset(layer, position), cache[position], 0, config.cacheWidth());
        }
        for (int row : checked(count(), 2)) {
            int position = first + row;
            double[] x = Plain.widen(h.data(), h.offset(row), config.hiddenSize());
            double[] latent = specification.latent(x, position);
            double rounding = Check.rounding(config.hiddenSize()) * Plain.largest(latent);
            for (int i = 0; i < latent.length; i++) {
                double tolerance = rounding + BF16_ROUNDING * Math.abs(latent[i]);
                Check.close("cache", position, i, cache[position][i], latent[i], tolerance);
            }
            double[] expected = specification.output(x, position, cache);
            double tolerance = Check.rounding(specification.terms(position)) * Plain.largest(expected);
            for (int i = 0; i < expected.length; i++) {
                Check.close("attention", row, i, found[out.offset(row) + i], expected[i], tolerance);
            }
        }
    }

    /** Positions that all new rows see, together. */
    final double seen() {
        return count() * (first + (count() + 1) / 2.0);
    }

    /** Positions at the end of the step. */
    final int positions() {
        return first + count();
    }
}
