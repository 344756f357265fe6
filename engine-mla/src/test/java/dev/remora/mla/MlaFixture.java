package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.RmsNorm;
import dev.remora.core.Rope;
import dev.remora.core.RopeScaling;
import dev.remora.core.Rows;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/** One layer with random weights, kept in plain arrays for {@link MlaSpecification} and packed for the engine. */
final class MlaFixture implements AutoCloseable {
    static final double THETA = 10_000;
    static final double EPSILON = 1e-6;
    private static final int LAYERS = 2;
    private static final int LAYER = 1;

    final MlaConfig config;
    final float[] q;
    final float[] qA;
    final float[] qNorm;
    final float[] kvA;
    final float[] kvNorm;
    final float[] kvB;
    final float[] o;
    final float[] qABias;
    final float[] kvABias;
    final float[] oBias;
    final MlaWeights weights;
    private final Random random;
    private final Arena arena = Arena.ofShared();

    MlaFixture(MlaConfig config, boolean biases, long seed) {
        this.config = config;
        this.random = new Random(seed);
        int d = config.hiddenSize();
        int c = config.kvLoraRank();
        int heads = config.numAttentionHeads();
        int compressed = config.qLoraRank();
        int queries = heads * config.qkHeadDim();
        qA = matrix(compressed, d);
        qNorm = around(1, compressed);
        q = matrix(queries, compressed == 0 ? d : compressed);
        kvA = matrix(config.cacheWidth(), d);
        kvNorm = around(1, c);
        kvB = matrix(heads * config.kvUpHeadDim(), c);
        o = matrix(d, heads * config.vHeadDim());
        qABias = around(0, biases ? compressed : 0);
        kvABias = around(0, biases ? config.cacheWidth() : 0);
        oBias = around(0, biases ? d : 0);

        DenseMatrix up = stored(kvB, heads * config.kvUpHeadDim(), c);
        Weight[] keyUp = new Weight[heads];
        Weight[] keyUpTransposed = new Weight[heads];
        Weight[] valueUp = new Weight[heads];
        for (int head = 0; head < heads; head++) {
            int at = head * config.kvUpHeadDim();
            DenseMatrix key = up.rows(at, config.qkNopeHeadDim());
            keyUp[head] = key.pack(arena);
            keyUpTransposed[head] = key.transposed().pack(arena);
            valueUp[head] =
                    up.rows(at + config.qkNopeHeadDim(), config.vHeadDim()).pack(arena);
        }
        boolean none = compressed == 0;
        weights = new MlaWeights(
                none ? stored(q, queries, d).pack(arena) : null,
                none ? null : stored(qA, compressed, d).pack(arena),
                none ? null : new RmsNorm(qNorm, EPSILON),
                none ? null : stored(q, queries, compressed).pack(arena),
                stored(kvA, config.cacheWidth(), d).pack(arena),
                new RmsNorm(kvNorm, EPSILON),
                keyUp,
                keyUpTransposed,
                valueUp,
                stored(o, d, heads * config.vHeadDim()).pack(arena),
                qABias,
                kvABias,
                oBias);
    }

    /** With the scale of scores that a model without YaRN has. */
    static MlaConfig config(int heads, int hidden, int qLora, int c, int nope, int rope, int v) {
        return new MlaConfig(hidden, heads, qLora, c, nope, rope, v, (float) (1 / Math.sqrt(nope + rope)));
    }

    /** Small, and yet no dimension is a whole number of tiles. */
    static MlaFixture small() {
        return new MlaFixture(config(5, 32, 0, 48, 24, 16, 40), false, 11);
    }

    /** Random input of a sequence, one row of the hidden size for each position. */
    float[] input(int positions, long seed) {
        Random values = new Random(seed);
        float[] h = new float[positions * config.hiddenSize()];
        for (int i = 0; i < h.length; i++) {
            h[i] = (float) values.nextGaussian();
        }
        return h;
    }

    Engine engine(Evaluation evaluation, CacheFormat format, int threads, int maxRows) {
        return new Engine(evaluation, format, threads, maxRows, AbsorbedPlan.USUAL_SIZE);
    }

    /** An absorbing engine with so many floats for partial results. */
    Engine absorbingEngine(int threads, int maxRows, int partialSize) {
        return new Engine(Evaluation.ABSORBED, CacheFormat.F32, threads, maxRows, partialSize);
    }

    @Override
    public void close() {
        arena.close();
    }

    private float[] matrix(int rows, int cols) {
        float[] values = new float[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(cols));
        }
        return values;
    }

    private float[] around(double mean, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (mean + 0.2 * random.nextGaussian());
        }
        return values;
    }

    private DenseMatrix stored(float[] values, int rows, int cols) {
        MemorySegment data = arena.allocate(4L * values.length, 64).copyFrom(MemorySegment.ofArray(values));
        return new DenseMatrix("w", DenseFormat.F32, data, rows, cols);
    }

    /** The layer with all that it needs to run; sequences are made by {@link #open}. */
    final class Engine implements AutoCloseable {
        final ThreadTeam team;
        final MlaWorkspace workspace;
        final CachePool pool;
        final Batch batch;
        private final MultiHeadLatentAttention attention;
        private final int[] ids;
        private final Rows in;
        private final Rows out;

        private Engine(Evaluation evaluation, CacheFormat format, int threads, int maxRows, int partialSize) {
            team = new ThreadTeam(threads, Math.max(maxRows, CachePool.PAGE_ROWS));
            Rope rope = new Rope(config.qkRopeHeadDim(), THETA, new RopeScaling.None());
            workspace = new MlaWorkspace(config, rope, format, evaluation, team, maxRows, partialSize);
            attention = new MultiHeadLatentAttention(weights, workspace);
            pool = new CachePool(LAYERS, attention.cacheBytesPerRow(), 1L << 30);
            batch = new Batch(maxRows);
            ids = new int[maxRows];
            in = new Rows(maxRows, config.hiddenSize());
            out = new Rows(maxRows, config.hiddenSize());
            clear();
        }

        CachePool.Sequence open() {
            return pool.open(8192);
        }

        /** Starts another step. */
        void clear() {
            batch.clear();
            in.resize(0);
        }

        /** Adds the next rows of a sequence to the step; h holds the rows of all its positions. */
        void add(CachePool.Sequence sequence, float[] h, int count) {
            int d = config.hiddenSize();
            sequence.reserve(sequence.length() + count);
            System.arraycopy(h, sequence.length() * d, in.data(), in.offset(batch.rows()), count * d);
            batch.add(sequence, ids, 0, count);
            in.resize(batch.rows());
        }

        void forward() {
            attention.forward(in, batch, LAYER, out);
        }

        /** Runs the step, moves the ends of its sequences, and returns its rows. */
        float[] run() {
            forward();
            for (int s = 0; s < batch.segments(); s++) {
                CachePool.Sequence sequence = batch.sequence(s);
                sequence.resize(sequence.length() + batch.segmentStart(s + 1) - batch.segmentStart(s));
            }
            float[] result = Arrays.copyOf(out.data(), batch.rows() * config.hiddenSize());
            clear();
            return result;
        }

        float[] run(CachePool.Sequence sequence, float[] h, int count) {
            add(sequence, h, count);
            return run();
        }

        /** Runs until a sequence has so many positions, in steps as long as possible. */
        void fill(CachePool.Sequence sequence, float[] h, int positions) {
            while (sequence.length() < positions) {
                run(sequence, h, Math.min(batchCapacity(), positions - sequence.length()));
            }
        }

        int layer() {
            return LAYER;
        }

        private int batchCapacity() {
            return in.capacity();
        }

        @Override
        public void close() {
            pool.close();
            team.close();
        }
    }
}
