package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import dev.remora.core.ParallelTask;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.kernel.Kernels;
import java.util.Arrays;

/**
 * The absorbed evaluation: q_C moves into the latent space (q' = W_UK^T q_C), meets the cache rows there, and the weighted
 * latents are expanded once at the end (arXiv:2405.04434, end of section 2.1.2). Each cache row is loaded once for 16
 * heads.
 *
 * <p>Work is cut into chunks of one row, 16 heads and one split of the context. Splits have a fixed length and are merged
 * in order, so the sum does not depend on how many threads share it.
 */
final class AbsorbedAttention {
    private static final int POSITIONS = MlaWorkspace.Worker.POSITIONS;
    private static final int HEADS = MlaWorkspace.Worker.HEADS;

    private static final int SPLIT = AbsorbedPlan.SPLIT;

    private final MlaConfig config;
    private final MlaWeights w;
    private final MlaWorkspace workspace;
    private final int headGroups;
    private final int latentWidth;
    private final ParallelTask absorb = this::absorbQueries;
    private final ParallelTask attend = this::attendSplit;
    private final ParallelTask merge = this::mergeSplits;
    private final ParallelTask expand = this::expandOutputs;
    private Batch batch;
    private int layer;
    private int firstWaveRow;
    private int waveSplits;

    AbsorbedAttention(MlaWeights w, MlaWorkspace workspace) {
        this.config = workspace.config();
        this.w = w;
        this.workspace = workspace;
        this.headGroups = Math.ceilDiv(config.numAttentionHeads(), HEADS);
        this.latentWidth = MlaWorkspace.roundUp(config.kvLoraRank());
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
        workspace.team().run(absorb, heads * w.keyUpTransposed()[0].tiles());
        int end;
        for (int from = 0; from < plan.rows(); from = end) {
            end = plan.waveEnd(from);
            firstWaveRow = from;
            int waveRows = end - from;
            waveSplits = plan.splits(end - 1, from);
            workspace.team().run(attend, waveRows * headGroups * waveSplits);
            workspace.team().run(merge, waveRows * headGroups);
        }
        workspace.team().run(expand, heads * w.valueUp()[0].tiles());
    }

    /** q' = W_UK^T q_C of one head, all rows. */
    private void absorbQueries(int chunk, Scratch scratch) {
        int tiles = w.keyUpTransposed()[0].tiles();
        int head = chunk / tiles;
        AbsorbedPlan plan = workspace.absorbed();
        w.keyUpTransposed()[head].multiply(
                plan.queries(),
                head * config.qkHeadDim(),
                plan.latentQueries(),
                head * config.kvLoraRank(),
                chunk % tiles,
                scratch);
    }

    /** o = W_UV u of one head, all rows. */
    private void expandOutputs(int chunk, Scratch scratch) {
        int tiles = w.valueUp()[0].tiles();
        int head = chunk / tiles;
        AbsorbedPlan plan = workspace.absorbed();
        w.valueUp()[head].multiply(
                plan.attendedLatents(),
                head * config.kvLoraRank(),
                plan.attended(),
                head * config.vHeadDim(),
                chunk % tiles,
                scratch);
    }

    /** One row, 16 heads, up to {@value #SPLIT} positions: maximum, sum and weighted latents into the partial results. */
    private void attendSplit(int chunk, Scratch scratch) {
        AbsorbedPlan plan = workspace.absorbed();
        int split = chunk % waveSplits;
        int group = chunk / waveSplits % headGroups;
        int selected = firstWaveRow + chunk / (waveSplits * headGroups);
        int end = Math.min((split + 1) * SPLIT, plan.visible(selected));
        if (split * SPLIT >= end) {
            return;
        }
        MlaWorkspace.Worker worker = workspace.worker(scratch.worker());
        int heads = Math.min(HEADS, config.numAttentionHeads() - group * HEADS);
        fillQueryPanel(selected, group * HEADS, heads, worker.queryPanel);
        float[] partial = plan.partial();
        int maxAt = chunk * plan.slotSize();
        int sumAt = maxAt + HEADS;
        int latentAt = sumAt + HEADS;
        Arrays.fill(partial, maxAt, sumAt, Float.NEGATIVE_INFINITY);
        Arrays.fill(partial, sumAt, maxAt + plan.slotSize(), 0f);
        CachePool.Sequence sequence = batch.sequence(plan.segment(selected));
        for (int tile = split * SPLIT; tile < end; tile += POSITIONS) {
            int cached = Math.min(POSITIONS, end - tile);
            workspace.cache().load(sequence, layer, tile, cached, worker.cacheTile);
            scoreTile(cached, worker);
            for (int head = 0; head < heads; head++) {
                int at = head * POSITIONS;
                float[] p = worker.probabilities;
                float max = Math.max(partial[maxAt + head], Kernels.maximum(p, at, cached));
                float shrink = Kernels.exp(partial[maxAt + head] - max);
                float sum = Kernels.expAndSum(p, at, max, cached, scratch.partial());
                partial[maxAt + head] = max;
                partial[sumAt + head] = partial[sumAt + head] * shrink + sum;
                Kernels.scale(shrink, partial, latentAt + head * latentWidth, latentWidth);
            }
            addLatents(cached, heads, worker, partial, latentAt);
        }
    }

    /** Queries of 16 heads as columns: [q' ; q_R] with the softmax scale folded in; columns without a head are 0. */
    private void fillQueryPanel(int selected, int firstHead, int heads, float[] panel) {
        AbsorbedPlan plan = workspace.absorbed();
        Rows q = plan.queries();
        Rows latent = plan.latentQueries();
        int c = config.kvLoraRank();
        Arrays.fill(panel, 0f);
        for (int head = 0; head < heads; head++) {
            int latentAt = latent.offset(selected) + (firstHead + head) * c;
            for (int d = 0; d < c; d++) {
                panel[d * HEADS + head] = latent.data()[latentAt + d] * config.softmaxScale();
            }
            int rotatedAt = q.offset(selected) + (firstHead + head) * config.qkHeadDim() + config.qkNopeHeadDim();
            for (int d = 0; d < config.qkRopeHeadDim(); d++) {
                panel[(c + d) * HEADS + head] = q.data()[rotatedAt + d] * config.softmaxScale();
            }
        }
    }

    /** Scores of a tile, transposed to (heads, positions) for the softmax over each head's row. */
    private void scoreTile(int cached, MlaWorkspace.Worker worker) {
        Rows latents = worker.cacheTile;
        Arrays.fill(worker.scores, 0, cached * HEADS, 0f);
        for (int i = 0; i < cached; i += Kernels.GROUP) {
            int i1 = Math.min(i + 1, cached - 1);
            int i2 = Math.min(i + 2, cached - 1);
            int i3 = Math.min(i + 3, cached - 1);
            Kernels.multiplyPanel(
                    worker.queryPanel,
                    0,
                    HEADS,
                    HEADS,
                    config.cacheWidth(),
                    latents.data(),
                    latents.offset(i),
                    latents.offset(i1),
                    latents.offset(i2),
                    latents.offset(i3),
                    worker.scores,
                    i * HEADS,
                    i1 * HEADS,
                    i2 * HEADS,
                    i3 * HEADS);
        }
        for (int i = 0; i < cached; i++) {
            for (int head = 0; head < HEADS; head++) {
                worker.probabilities[head * POSITIONS + i] = worker.scores[i * HEADS + head];
            }
        }
    }

    /** u += p c; columns past the latent, which pad it to whole vectors, are never read. */
    private void addLatents(int cached, int heads, MlaWorkspace.Worker worker, float[] partial, int latentAt) {
        Rows latents = worker.cacheTile;
        for (int head = 0; head < heads; head += Kernels.GROUP) {
            int head1 = Math.min(head + 1, heads - 1);
            int head2 = Math.min(head + 2, heads - 1);
            int head3 = Math.min(head + 3, heads - 1);
            Kernels.multiplyPanel(
                    latents.data(),
                    0,
                    latents.width(),
                    latentWidth,
                    cached,
                    worker.probabilities,
                    head * POSITIONS,
                    head1 * POSITIONS,
                    head2 * POSITIONS,
                    head3 * POSITIONS,
                    partial,
                    latentAt + head * latentWidth,
                    latentAt + head1 * latentWidth,
                    latentAt + head2 * latentWidth,
                    latentAt + head3 * latentWidth);
        }
    }

    /** Merges the splits of one row and 16 heads in ascending order, into the first one's place, and divides by the sum. */
    private void mergeSplits(int chunk, Scratch scratch) {
        AbsorbedPlan plan = workspace.absorbed();
        int selected = firstWaveRow + chunk / headGroups;
        int firstHead = chunk % headGroups * HEADS;
        int heads = Math.min(HEADS, config.numAttentionHeads() - firstHead);
        int splits = Math.ceilDiv(plan.visible(selected), SPLIT);
        float[] partial = plan.partial();
        int slotSize = plan.slotSize();
        int slot = chunk * waveSplits * slotSize;
        Rows out = plan.attendedLatents();
        for (int head = 0; head < heads; head++) {
            int latentAt = slot + 2 * HEADS + head * latentWidth;
            float max = partial[slot + head];
            float sum = partial[slot + HEADS + head];
            for (int split = 1; split < splits; split++) {
                int other = slot + split * slotSize;
                float newMax = Math.max(max, partial[other + head]);
                float shrink = Kernels.exp(max - newMax);
                float shrinkOther = Kernels.exp(partial[other + head] - newMax);
                sum = sum * shrink + partial[other + HEADS + head] * shrinkOther;
                Kernels.scale(shrink, partial, latentAt, config.kvLoraRank());
                Kernels.addScaled(
                        shrinkOther,
                        partial,
                        other + 2 * HEADS + head * latentWidth,
                        partial,
                        latentAt,
                        config.kvLoraRank());
                max = newMax;
            }
            Kernels.scale(1f / sum, partial, latentAt, config.kvLoraRank());
            System.arraycopy(
                    partial,
                    latentAt,
                    out.data(),
                    out.offset(selected) + (firstHead + head) * config.kvLoraRank(),
                    config.kvLoraRank());
        }
    }
}
