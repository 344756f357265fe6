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
 * The expanded evaluation: for each head, and for each tile of 64 cached positions, keys and values are expanded from the
 * latents (arXiv:2405.04434, (10)(11)); all rows of the sequence meet them with an online softmax (arXiv:1805.02867). A
 * head is one chunk of work.
 */
final class ExpandedAttention {
    private static final int POSITIONS = MlaWorkspace.Worker.POSITIONS;

    private final MlaConfig config;
    private final MlaWeights w;
    private final MlaWorkspace workspace;
    private final ParallelTask attend = this::attendHead;
    private Batch batch;
    private int layer;
    private int segment;

    ExpandedAttention(MlaWeights w, MlaWorkspace workspace) {
        this.config = workspace.config();
        this.w = w;
        this.workspace = workspace;
    }

    /** Attends the sequences of the batch that are evaluated in this way; writes their rows of the attended values. */
    void forward(Batch rows, int cacheLayer) {
        batch = rows;
        layer = cacheLayer;
        for (int s = 0; s < batch.segments(); s++) {
            if (workspace.expands(batch, s)) {
                segment = s;
                workspace.team().run(attend, config.numAttentionHeads());
            }
        }
    }

    private void attendHead(int head, Scratch scratch) {
        MlaWorkspace.Worker worker = workspace.worker(scratch.worker());
        int firstRow = batch.segmentStart(segment);
        int n = batch.segmentStart(segment + 1) - firstRow;
        int firstPosition = batch.position(firstRow);
        int end = firstPosition + n;
        Arrays.fill(worker.rowMax, 0, n, Float.NEGATIVE_INFINITY);
        Arrays.fill(worker.rowSum, 0, n, 0f);
        Rows outputs = worker.rowOutputs;
        Arrays.fill(outputs.data(), 0, n * outputs.width(), 0f);

        for (int tile = 0; tile < end; tile += POSITIONS) {
            int cached = Math.min(POSITIONS, end - tile);
            expandTile(head, tile, cached, worker, scratch);
            int first = Math.max(0, tile - firstPosition);
            scoreTile(head, firstRow, first, n, worker);
            for (int row = first; row < n; row++) {
                int visible = Math.min(cached, firstPosition + row - tile + 1);
                softmax(row, visible, worker, scratch);
            }
            addValues(first, n, cached, worker);
        }

        Rows attended = workspace.attended();
        int v = config.vHeadDim();
        for (int row = 0; row < n; row++) {
            int at = outputs.offset(row);
            Kernels.scale(1f / worker.rowSum[row], outputs.data(), at, v);
            System.arraycopy(outputs.data(), at, attended.data(), attended.offset(firstRow + row) + head * v, v);
        }
    }

    /** (10) k_C = W_UK c, transposed into a panel above the shared k_R; (11) v = W_UV c. */
    private void expandTile(int head, int tile, int cached, MlaWorkspace.Worker worker, Scratch scratch) {
        CachePool.Sequence sequence = batch.sequence(segment);
        Rows latents = worker.cacheTile;
        workspace.cache().load(sequence, layer, tile, cached, latents);
        worker.keyTile.resize(cached);
        multiply(w.keyUp()[head], latents, worker.keyTile, scratch);
        worker.valueTile.resize(cached);
        multiply(w.valueUp()[head], latents, worker.valueTile, scratch);
        int nope = config.qkNopeHeadDim();
        for (int i = 0; i < cached; i++) {
            int keyAt = worker.keyTile.offset(i);
            for (int d = 0; d < nope; d++) {
                worker.keyPanel[d * POSITIONS + i] = worker.keyTile.data()[keyAt + d];
            }
            int rotatedAt = latents.offset(i) + config.kvLoraRank();
            for (int d = 0; d < config.qkRopeHeadDim(); d++) {
                worker.keyPanel[(nope + d) * POSITIONS + i] = latents.data()[rotatedAt + d];
            }
        }
    }

    private static void multiply(Weight weight, Rows x, Rows y, Scratch scratch) {
        for (int tile = 0; tile < weight.tiles(); tile++) {
            weight.multiply(x, 0, y, 0, tile, scratch);
        }
    }

    private void scoreTile(int head, int firstRow, int first, int n, MlaWorkspace.Worker worker) {
        Rows q = workspace.queries();
        Rows scores = worker.rowScores;
        Arrays.fill(scores.data(), scores.offset(0) + first * POSITIONS, n * POSITIONS, 0f);
        int at = head * config.qkHeadDim();
        for (int row = first; row < n; row += Kernels.GROUP) {
            int row1 = Math.min(row + 1, n - 1);
            int row2 = Math.min(row + 2, n - 1);
            int row3 = Math.min(row + 3, n - 1);
            Kernels.multiplyPanel(
                    worker.keyPanel,
                    0,
                    POSITIONS,
                    POSITIONS,
                    config.qkHeadDim(),
                    q.data(),
                    q.offset(firstRow + row) + at,
                    q.offset(firstRow + row1) + at,
                    q.offset(firstRow + row2) + at,
                    q.offset(firstRow + row3) + at,
                    scores.data(),
                    scores.offset(row),
                    scores.offset(row1),
                    scores.offset(row2),
                    scores.offset(row3));
        }
    }

    /** Scores of the visible positions become weights; those after them, which the row must not see, become 0. */
    private void softmax(int row, int visible, MlaWorkspace.Worker worker, Scratch scratch) {
        float[] scores = worker.rowScores.data();
        int at = worker.rowScores.offset(row);
        Kernels.scale(config.softmaxScale(), scores, at, visible);
        float max = Math.max(worker.rowMax[row], Kernels.maximum(scores, at, visible));
        float shrink = Kernels.exp(worker.rowMax[row] - max);
        float sum = Kernels.expAndSum(scores, at, max, visible, scratch.partial());
        Arrays.fill(scores, at + visible, at + POSITIONS, 0f);
        worker.rowMax[row] = max;
        worker.rowSum[row] = worker.rowSum[row] * shrink + sum;
        Rows outputs = worker.rowOutputs;
        Kernels.scale(shrink, outputs.data(), outputs.offset(row), outputs.width());
    }

    private static void addValues(int first, int n, int cached, MlaWorkspace.Worker worker) {
        Rows weights = worker.rowScores;
        Rows values = worker.valueTile;
        Rows outputs = worker.rowOutputs;
        for (int row = first; row < n; row += Kernels.GROUP) {
            int row1 = Math.min(row + 1, n - 1);
            int row2 = Math.min(row + 2, n - 1);
            int row3 = Math.min(row + 3, n - 1);
            Kernels.multiplyPanel(
                    values.data(),
                    0,
                    values.width(),
                    values.width(),
                    cached,
                    weights.data(),
                    weights.offset(row),
                    weights.offset(row1),
                    weights.offset(row2),
                    weights.offset(row3),
                    outputs.data(),
                    outputs.offset(row),
                    outputs.offset(row1),
                    outputs.offset(row2),
                    outputs.offset(row3));
        }
    }
}
