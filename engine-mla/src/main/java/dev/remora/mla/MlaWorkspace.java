package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.Rope;
import dev.remora.core.Rows;
import dev.remora.core.ThreadTeam;
import dev.remora.core.kernel.Kernels;

/** What the attention of all layers of one engine shares: its rows, the rotations of a step, and each worker's tiles. */
public final class MlaWorkspace {
    private final MlaConfig config;
    private final ThreadTeam team;
    private final Rope rope;
    private final LatentCache cache;
    private final Evaluation evaluation;
    private final Rows compressedQueries;
    private final Rows queries;
    private final Rows latents;
    private final Rows rotations;
    private final Rows latentQueries;
    private final Rows attendedLatents;
    private final Rows attended;
    private final AbsorbedPlan absorbed;
    private final Worker[] workers;
    private Batch preparedBatch;
    private long preparedStep;

    /**
     * @param maxRows    most rows of a step
     * @param evaluation {@link Evaluation#CHEAPEST}, or another in tests
     */
    public MlaWorkspace(
            MlaConfig config, Rope rope, CacheFormat format, Evaluation evaluation, ThreadTeam team, int maxRows) {
        this.config = config;
        this.team = team;
        this.rope = rope;
        this.cache = new LatentCache(format, config);
        this.evaluation = evaluation;
        int heads = config.numAttentionHeads();
        compressedQueries = new Rows(maxRows, Math.max(config.qLoraRank(), 1));
        queries = new Rows(maxRows, heads * config.qkHeadDim());
        latents = new Rows(maxRows, config.cacheWidth());
        rotations = new Rows(maxRows, rope.tableWidth());
        latentQueries = new Rows(maxRows, heads * config.kvLoraRank());
        attendedLatents = new Rows(maxRows, heads * config.kvLoraRank());
        attended = new Rows(maxRows, heads * config.vHeadDim());
        absorbed = new AbsorbedPlan(this, maxRows);
        workers = new Worker[team.size()];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(config, maxRows);
        }
    }

    /**
     * Bytes that a workspace takes, for the account of memory before loading.
     *
     * @param contextLength positions of the longest sequence
     */
    public static long bytes(MlaConfig config, int maxRows, int threads, int contextLength) {
        long heads = config.numAttentionHeads();
        return Rows.bytes(maxRows, Math.max(config.qLoraRank(), 1))
                + Rows.bytes(maxRows, heads * config.qkHeadDim())
                + Rows.bytes(maxRows, config.cacheWidth())
                + Rows.bytes(maxRows, config.qkRopeHeadDim())
                + 2 * Rows.bytes(maxRows, heads * config.kvLoraRank())
                + Rows.bytes(maxRows, heads * config.vHeadDim())
                + AbsorbedPlan.bytes(config, maxRows, contextLength)
                + threads * Worker.bytes(config, maxRows);
    }

    /** Computes the rotations of a step, once for all layers. */
    void begin(Batch batch) {
        if (batch != preparedBatch || batch.step() != preparedStep) {
            for (int row = 0; row < batch.rows(); row++) {
                rope.fillTable(batch.position(row), rotations.data(), rotations.offset(row));
            }
            absorbed.prepare(batch);
            preparedBatch = batch;
            preparedStep = batch.step();
        }
    }

    MlaConfig config() {
        return config;
    }

    ThreadTeam team() {
        return team;
    }

    Rope rope() {
        return rope;
    }

    /** True if a segment of the batch is evaluated by expansion. */
    boolean expands(Batch batch, int segment) {
        int first = batch.segmentStart(segment);
        return evaluation.expands(config, batch.position(first), batch.segmentStart(segment + 1) - first);
    }

    /** The rows of the step that are evaluated in the latent space. */
    AbsorbedPlan absorbed() {
        return absorbed;
    }

    LatentCache cache() {
        return cache;
    }

    /** c_Q, (n, q_lora_rank). */
    Rows compressedQueries() {
        return compressedQueries;
    }

    /** [q_C ; q_R] of each head, (n, heads * (nope + rope)). */
    Rows queries() {
        return queries;
    }

    /** [c_KV ; k_R], (n, c + r); normalised and rotated in place. */
    Rows latents() {
        return latents;
    }

    /** Cosine and sine, (n, rope). */
    Rows rotations() {
        return rotations;
    }

    /** W_UK^T q_C of each head, (n, heads * c). */
    Rows latentQueries() {
        return latentQueries;
    }

    /** Latents weighted by the softmax, of each head, (n, heads * c). */
    Rows attendedLatents() {
        return attendedLatents;
    }

    /** Output of each head, (n, heads * v). */
    Rows attended() {
        return attended;
    }

    Worker worker(int index) {
        return workers[index];
    }

    /** The tiles of one worker. Widths that the tiled multiplication writes are rounded up to whole vectors. */
    static final class Worker {
        /** Heads that share one pass over the cache; as many as the widest vectors have lanes. */
        static final int HEADS = Kernels.LANES;

        static final int POSITIONS = CachePool.PAGE_ROWS;

        final Rows cacheTile;
        final float[] queryPanel;
        final float[] scores = new float[POSITIONS * HEADS];
        final float[] probabilities = new float[HEADS * POSITIONS];
        final Rows keyTile;
        final Rows valueTile;
        final float[] keyPanel;
        final Rows rowScores;
        final Rows rowOutputs;
        final float[] rowMax;
        final float[] rowSum;

        Worker(MlaConfig config, int maxRows) {
            cacheTile = new Rows(POSITIONS, roundUp(config.cacheWidth()));
            queryPanel = new float[config.cacheWidth() * HEADS];
            keyTile = new Rows(POSITIONS, config.qkNopeHeadDim());
            valueTile = new Rows(POSITIONS, roundUp(config.vHeadDim()));
            keyPanel = new float[config.qkHeadDim() * POSITIONS];
            rowScores = new Rows(maxRows, POSITIONS);
            rowOutputs = new Rows(maxRows, roundUp(config.vHeadDim()));
            rowMax = new float[maxRows];
            rowSum = new float[maxRows];
        }

        static long bytes(MlaConfig config, int maxRows) {
            long panels =
                    (long) HEADS * config.cacheWidth() + 2L * HEADS * POSITIONS + (long) config.qkHeadDim() * POSITIONS;
            return Rows.bytes(POSITIONS, roundUp(config.cacheWidth()))
                    + Rows.bytes(POSITIONS, config.qkNopeHeadDim())
                    + Rows.bytes(POSITIONS, roundUp(config.vHeadDim()))
                    + Rows.bytes(maxRows, POSITIONS)
                    + Rows.bytes(maxRows, roundUp(config.vHeadDim()))
                    + Float.BYTES * (panels + 2L * maxRows);
        }
    }

    /** Smallest multiple of the lanes that holds {@code width}. */
    static int roundUp(int width) {
        return Math.ceilDiv(width, Kernels.LANES) * Kernels.LANES;
    }
}
