package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.CacheFormat;
import dev.remora.core.Rope;
import dev.remora.core.Rows;
import dev.remora.core.ThreadTeam;

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
    private final ExpandedContext expanded;
    private final Worker[] workers;
    private Batch preparedBatch;
    private long preparedStep;

    /**
     * @param maxRows    most rows of a step
     * @param evaluation {@link Evaluation#CHEAPEST}, or another in tests
     */
    public MlaWorkspace(
            MlaConfig config, Rope rope, CacheFormat format, Evaluation evaluation, ThreadTeam team, int maxRows) {
        this(config, rope, format, evaluation, team, maxRows, AbsorbedPlan.USUAL_SIZE);
    }

    /**
     * As the public one, for tests.
     *
     * @param partialSize floats for the partial results of the absorbed evaluation
     */
    MlaWorkspace(
            MlaConfig config,
            Rope rope,
            CacheFormat format,
            Evaluation evaluation,
            ThreadTeam team,
            int maxRows,
            int partialSize) {
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
        absorbed = new AbsorbedPlan(this, maxRows, partialSize);
        expanded = new ExpandedContext(config, maxRows);
        workers = new Worker[team.size()];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(config);
        }
    }

    /**
     * Bytes that a workspace takes, for the account of memory before loading; the length of the context does not matter.
     */
    public static long bytes(MlaConfig config, int maxRows, int threads) {
        long heads = config.numAttentionHeads();
        return Rows.bytes(maxRows, Math.max(config.qLoraRank(), 1))
                + Rows.bytes(maxRows, heads * config.qkHeadDim())
                + Rows.bytes(maxRows, config.cacheWidth())
                + Rows.bytes(maxRows, config.qkRopeHeadDim())
                + 2 * Rows.bytes(maxRows, heads * config.kvLoraRank())
                + Rows.bytes(maxRows, heads * config.vHeadDim())
                + AbsorbedPlan.bytes(config, maxRows)
                + ExpandedContext.bytes(config, maxRows)
                + threads * Worker.bytes(config);
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

    /** What the expanded evaluation works on. */
    ExpandedContext expanded() {
        return expanded;
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

    /** The tiles of one worker. */
    static final class Worker {
        /** Sets of 16 queries that meet each tile. */
        static final int UNITS = AbsorbedPlan.BUNDLE;

        /** A tile of the cache, (blocks, 64 positions, 64). */
        final float[] tile;
        /** Queries, (units, blocks, 64, 16). */
        final float[] queries;
        /** Scores, then weights, (64 positions, 16). */
        final float[] scores = new float[OnlineAttention.POSITIONS * OnlineAttention.QUERIES];
        /** Values of one unit's queries. */
        final int queriesSize;

        private long filledSerial;
        private int filledBundle;

        Worker(MlaConfig config) {
            tile = new float[tileBlocks(config) * OnlineAttention.TILE_SIZE];
            queriesSize = queryBlocks(config) * OnlineAttention.PANEL_SIZE;
            queries = new float[UNITS * queriesSize];
        }

        static long bytes(MlaConfig config) {
            long tile = (long) tileBlocks(config) * OnlineAttention.TILE_SIZE;
            long queries = (long) UNITS * queryBlocks(config) * OnlineAttention.PANEL_SIZE;
            long scores = (long) OnlineAttention.POSITIONS * OnlineAttention.QUERIES;
            return Float.BYTES * (tile + queries + scores);
        }

        private static int tileBlocks(MlaConfig config) {
            return OnlineAttention.blocks(config.kvLoraRank()) + OnlineAttention.blocks(config.qkRopeHeadDim());
        }

        private static int queryBlocks(MlaConfig config) {
            int key = OnlineAttention.blocks(config.qkNopeHeadDim()) + OnlineAttention.blocks(config.qkRopeHeadDim());
            return Math.max(tileBlocks(config), key);
        }

        /** True if the queries of a bundle are to be filled in now: the worker's last chunk belonged to another. */
        boolean startsBundle(long serial, int bundle) {
            boolean other = serial != filledSerial || bundle != filledBundle;
            filledSerial = serial;
            filledBundle = bundle;
            return other;
        }

        /** The queries are overwritten by something else. */
        void forgetQueries() {
            filledSerial = 0;
        }
    }
}
