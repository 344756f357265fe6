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
    private long preparedStep = -1;

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

    /** Bytes that a workspace takes, for the account of memory before loading. */
    public static long bytes(MlaConfig config, int maxRows, int threads) {
        long heads = config.numAttentionHeads();
        long row = config.qLoraRank()
                + heads * config.qkHeadDim()
                + config.cacheWidth()
                + config.qkRopeHeadDim()
                + 2 * heads * config.kvLoraRank()
                + heads * config.vHeadDim();
        long worker = (long) Worker.POSITIONS * (config.cacheWidth() + config.kvUpHeadDim() + config.qkHeadDim())
                + (long) Worker.HEADS * config.cacheWidth()
                + (long) maxRows * (Worker.POSITIONS + roundUp(config.vHeadDim()) + 2);
        return Float.BYTES * (maxRows * row + threads * worker + AbsorbedPlan.USUAL_SIZE);
    }

    /** Computes the rotations of a step, once for all layers. */
    void begin(Batch batch) {
        if (batch.step() != preparedStep) {
            preparedStep = batch.step();
            for (int row = 0; row < batch.rows(); row++) {
                rope.fillTable(batch.position(row), rotations.data(), rotations.offset(row));
            }
            absorbed.prepare(batch);
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
    }

    /** Smallest multiple of the lanes that holds {@code width}. */
    static int roundUp(int width) {
        return Math.ceilDiv(width, Kernels.LANES) * Kernels.LANES;
    }
}
