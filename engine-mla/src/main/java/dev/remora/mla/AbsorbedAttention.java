package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import dev.remora.core.ParallelTask;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.Weight;
import dev.remora.core.kernel.Kernels;
import java.util.Arrays;

/**
 * The absorbed evaluation: q_C moves into the latent space (q' = W_UK^T q_C), meets the cache rows there, and the weighted
 * latents are expanded once at the end (arXiv:2405.04434, end of section 2.1.2).
 *
 * <p>A unit is one row and 16 of its heads. Work is cut into chunks of a bundle of units, which share each decoded cache
 * row, and one split of the context. Splits have a fixed length and are merged in order, so the sum does not depend on how
 * many threads share it.
 */
final class AbsorbedAttention {
    private static final int POSITIONS = OnlineAttention.POSITIONS;
    private static final int QUERIES = OnlineAttention.QUERIES;
    private static final int SPLIT = AbsorbedPlan.SPLIT;

    private final MlaConfig config;
    private final MlaWeights w;
    private final MlaWorkspace workspace;
    private final int latentBlocks;
    private final int blocks;
    private final ParallelTask absorb = this::absorbQueries;
    private final ParallelTask attend = this::attendSplit;
    private final ParallelTask merge = this::mergeSplits;
    private final ParallelTask expand = this::expandOutputs;
    private Batch batch;
    private int layer;

    AbsorbedAttention(MlaWeights w, MlaWorkspace workspace) {
        this.config = workspace.config();
        this.w = w;
        this.workspace = workspace;
        this.latentBlocks = OnlineAttention.blocks(config.kvLoraRank());
        this.blocks = workspace.cache().tileBlocks();
    }

    /** Attends the sequences of the batch that are evaluated in this way; writes their rows of the attended values. */
    void forward(Batch rows, int cacheLayer) {
        batch = rows;
        layer = cacheLayer;
        AbsorbedPlan plan = workspace.absorbed();
        if (plan.rows() == 0) {
            return;
        }
        int heads = config.numAttentionHeads();
        workspace.team().run(absorb, heads);
        plan.beginWaves();
        while (plan.nextWave()) {
            workspace.team().run(attend, plan.waveBundles() * plan.waveSplits());
            workspace.team().run(merge, plan.waveUnits() * QUERIES);
        }
        workspace.team().run(expand, heads);
    }

    /** q' = W_UK^T q_C of one head, all rows. */
    private void absorbQueries(int head, Scratch scratch) {
        AbsorbedPlan plan = workspace.absorbed();
        Weight weight = w.keyUpTransposed()[head];
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(
                    plan.queries(),
                    head * config.qkHeadDim(),
                    plan.latentQueries(),
                    head * config.kvLoraRank(),
                    tile,
                    scratch);
        }
    }

    /** o = W_UV u of one head, all rows. */
    private void expandOutputs(int head, Scratch scratch) {
        AbsorbedPlan plan = workspace.absorbed();
        Weight weight = w.valueUp()[head];
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(
                    plan.attendedLatents(),
                    head * config.kvLoraRank(),
                    plan.attended(),
                    head * config.vHeadDim(),
                    tile,
                    scratch);
        }
    }

    /** One bundle, up to {@value AbsorbedPlan#SPLIT} positions: each unit's maxima, sums and weighted latents. */
    private void attendSplit(int chunk, Scratch scratch) {
        AbsorbedPlan plan = workspace.absorbed();
        int bundle = plan.waveBundle() + chunk / plan.waveSplits();
        int split = plan.waveSplit() + chunk % plan.waveSplits();
        int first = plan.bundleStart(bundle);
        int last = plan.bundleStart(bundle + 1);
        // Rows of a sequence ascend, so the last unit sees the most.
        int end = Math.min((split + 1) * SPLIT, plan.visible(last - 1));
        if (split * SPLIT >= end) {
            return;
        }
        MlaWorkspace.Worker worker = workspace.worker(scratch.worker());
        if (worker.startsBundle(plan.serial(), bundle)) {
            for (int unit = first; unit < last; unit++) {
                fillQueries(unit, worker.queries, (unit - first) * worker.queriesSize);
            }
        }
        float[] partial = plan.partial();
        for (int unit = first; unit < last; unit++) {
            OnlineAttention.clear(partial, plan.slot(unit, split), latentBlocks);
        }
        CachePool.Sequence sequence = batch.sequence(plan.segment(first));
        for (int tile = split * SPLIT; tile < end; tile += POSITIONS) {
            workspace.cache().loadTile(sequence, layer, tile, Math.min(POSITIONS, end - tile), worker.tile);
            for (int unit = first; unit < last; unit++) {
                int positions = Math.min(POSITIONS, plan.visible(unit) - tile);
                if (positions > 0) {
                    attendTile(unit, (unit - first) * worker.queriesSize, positions, worker, plan.slot(unit, split));
                }
            }
        }
    }

    private void attendTile(int unit, int queriesAt, int positions, MlaWorkspace.Worker worker, int slot) {
        AbsorbedPlan plan = workspace.absorbed();
        float[] tile = worker.tile;
        float[] scores = worker.scores;
        Arrays.fill(scores, 0f);
        OnlineAttention.addScores(
                worker.queries, queriesAt, blocks, tile, 0, OnlineAttention.TILE_SIZE, positions, scores);
        OnlineAttention.weigh(scores, positions, plan.partial(), slot, latentBlocks);
        OnlineAttention.addValues(
                scores,
                positions,
                tile,
                0,
                OnlineAttention.TILE_SIZE,
                latentBlocks,
                0,
                plan.heads(unit),
                plan.partial(),
                slot);
    }

    /** [q' ; q_R] of 16 heads as columns, with the softmax scale folded in; columns without a head are 0. */
    private void fillQueries(int unit, float[] queries, int at) {
        AbsorbedPlan plan = workspace.absorbed();
        Rows q = plan.queries();
        Rows latent = plan.latentQueries();
        int row = plan.row(unit);
        int c = config.kvLoraRank();
        int heads = plan.heads(unit);
        int firstHead = plan.firstHead(unit);
        int latentAt = latent.offset(row) + firstHead * c;
        int rotatedAt = q.offset(row) + firstHead * config.qkHeadDim() + config.qkNopeHeadDim();
        int rotatedTo = at + latentBlocks * OnlineAttention.PANEL_SIZE;
        Arrays.fill(queries, at, at + blocks * OnlineAttention.PANEL_SIZE, 0f);
        for (int d = 0; d < c; d++) {
            for (int head = 0; head < heads; head++) {
                queries[at + d * QUERIES + head] = latent.data()[latentAt + head * c + d] * config.softmaxScale();
            }
        }
        for (int d = 0; d < config.qkRopeHeadDim(); d++) {
            for (int head = 0; head < heads; head++) {
                queries[rotatedTo + d * QUERIES + head] =
                        q.data()[rotatedAt + head * config.qkHeadDim() + d] * config.softmaxScale();
            }
        }
    }

    /**
     * Merges the splits of one head in ascending order into its unit's first slot; after the last split, divides by the
     * sum.
     */
    private void mergeSplits(int chunk, Scratch scratch) {
        AbsorbedPlan plan = workspace.absorbed();
        int unit = plan.bundleStart(plan.waveBundle()) + chunk / QUERIES;
        int head = chunk % QUERIES;
        int splits = Math.ceilDiv(plan.visible(unit), SPLIT);
        int firstSplit = plan.waveSplit();
        if (head >= plan.heads(unit) || splits <= firstSplit) {
            return;
        }
        float[] partial = plan.partial();
        int slot = plan.firstSlot(unit);
        int end = Math.min(firstSplit + plan.waveSplits(), splits);
        for (int split = Math.max(firstSplit, 1); split < end; split++) {
            mergeInto(partial, slot, plan.slot(unit, split), head);
        }
        if (end == splits) {
            Rows out = plan.attendedLatents();
            int c = config.kvLoraRank();
            int at = out.offset(plan.row(unit)) + (plan.firstHead(unit) + head) * c;
            OnlineAttention.finish(partial, slot, head, out.data(), at, c);
        }
    }

    private void mergeInto(float[] partial, int slot, int other, int head) {
        float max = OnlineAttention.max(partial, slot, head);
        float newMax = Math.max(max, OnlineAttention.max(partial, other, head));
        float shrink = Kernels.exp(max - newMax);
        float shrinkOther = Kernels.exp(OnlineAttention.max(partial, other, head) - newMax);
        float sum = OnlineAttention.sum(partial, slot, head) * shrink
                + OnlineAttention.sum(partial, other, head) * shrinkOther;
        OnlineAttention.setMaxAndSum(partial, slot, head, newMax, sum);
        for (int block = 0; block < latentBlocks; block++) {
            int at = OnlineAttention.valuesAt(slot, block, head);
            if (shrink != 1f) {
                Kernels.scale(shrink, partial, at, OnlineAttention.BLOCK);
            }
            Kernels.addScaled(
                    shrinkOther,
                    partial,
                    OnlineAttention.valuesAt(other, block, head),
                    partial,
                    at,
                    OnlineAttention.BLOCK);
        }
    }
}
