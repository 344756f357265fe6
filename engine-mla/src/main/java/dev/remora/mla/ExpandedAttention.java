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
 * The expanded evaluation: keys and values are expanded from the latents (arXiv:2405.04434, (10)(11)), for 16 heads and a
 * stretch of the context at a time, and all rows of the sequence meet them. Decoding the latents, expanding and attending
 * are phases of their own, so that each is spread over all threads: over pages, over heads and matrix tiles, and over
 * heads and rows.
 */
final class ExpandedAttention {
    private static final int POSITIONS = OnlineAttention.POSITIONS;
    private static final int QUERIES = OnlineAttention.QUERIES;
    private static final int ROWS_PER_CHUNK = MlaWorkspace.Worker.UNITS * QUERIES;

    private final MlaConfig config;
    private final MlaWeights w;
    private final MlaWorkspace workspace;
    private final ExpandedContext context;
    private final int nopeBlocks;
    private final int ropeBlocks;
    private final int valueBlocks;
    private final ParallelTask load = this::loadPage;
    private final ParallelTask expand = this::expandTile;
    private final ParallelTask attend = this::attendRows;
    private Batch batch;
    private int layer;
    private int segment;
    private int firstHead;
    private int rowChunks;

    ExpandedAttention(MlaWeights w, MlaWorkspace workspace) {
        this.config = workspace.config();
        this.w = w;
        this.workspace = workspace;
        this.context = workspace.expanded();
        this.nopeBlocks = OnlineAttention.blocks(config.qkNopeHeadDim());
        this.ropeBlocks = OnlineAttention.blocks(config.qkRopeHeadDim());
        this.valueBlocks = OnlineAttention.blocks(config.vHeadDim());
    }

    /** Attends the sequences of the batch that are evaluated in this way; writes their rows of the attended values. */
    void forward(Batch rows, int cacheLayer) {
        batch = rows;
        layer = cacheLayer;
        for (int s = 0; s < batch.segments(); s++) {
            if (workspace.expands(batch, s)) {
                segment = s;
                for (firstHead = 0; firstHead < config.numAttentionHeads(); firstHead += ExpandedContext.HEADS) {
                    attendHeads(Math.min(ExpandedContext.HEADS, config.numAttentionHeads() - firstHead));
                }
            }
        }
    }

    private void attendHeads(int heads) {
        int rows = batch.segmentStart(segment + 1) - batch.segmentStart(segment);
        int end = firstPosition() + rows;
        rowChunks = Math.ceilDiv(rows, ROWS_PER_CHUNK);
        for (int from = 0; from < end; from += context.capacity()) {
            context.begin(from, Math.min(context.capacity(), end - from));
            workspace.team().run(load, Math.ceilDiv(context.count(), POSITIONS));
            workspace.team().run(expand, heads * (nopeBlocks + valueBlocks));
            workspace.team().run(attend, heads * rowChunks);
        }
    }

    private int firstPosition() {
        return batch.position(batch.segmentStart(segment));
    }

    /** Latents and rotated keys of one page, as f32. */
    private void loadPage(int page, Scratch scratch) {
        CachePool.Sequence sequence = batch.sequence(segment);
        int at = page * POSITIONS;
        int count = Math.min(POSITIONS, context.count() - at);
        int position = context.from() + at;
        workspace.cache().loadLatents(sequence, layer, position, count, context.latents(), at);
        workspace
                .cache()
                .loadKeys(
                        sequence,
                        layer,
                        position,
                        count,
                        context.rotatedKeys(),
                        at * OnlineAttention.BLOCK,
                        context.capacity() * OnlineAttention.BLOCK);
    }

    /** (10) k_C = W_UK c, (11) v = W_UV c: 64 columns of one head. */
    private void expandTile(int chunk, Scratch scratch) {
        int head = chunk / (nopeBlocks + valueBlocks);
        int block = chunk % (nopeBlocks + valueBlocks);
        boolean key = block < nopeBlocks;
        Weight weight = key ? w.keyUp()[firstHead + head] : w.valueUp()[firstHead + head];
        int tile = key ? block : block - nopeBlocks;
        // A block holds one tile of the matrix: its columns start where the tile does.
        weight.multiply(context.latents(), 0, context.block(head, block), -tile * Weight.TILE, tile, scratch);
    }

    /** Up to 64 rows of one head meet the positions of the context that they see. */
    private void attendRows(int chunk, Scratch scratch) {
        int head = chunk / rowChunks;
        int first = chunk % rowChunks * ROWS_PER_CHUNK;
        int rows = batch.segmentStart(segment + 1) - batch.segmentStart(segment);
        int end = Math.min(first + ROWS_PER_CHUNK, rows);
        int visible = firstPosition() + end - context.from();
        if (visible <= 0) {
            return;
        }
        MlaWorkspace.Worker worker = workspace.worker(scratch.worker());
        worker.forgetQueries();
        for (int row = first; row < end; row += QUERIES) {
            fillQueries(head, row, Math.min(QUERIES, end - row), worker.queries, queriesAt(row - first, worker));
            if (context.from() == 0) {
                OnlineAttention.clear(context.slots(), context.slot(head, row / QUERIES), valueBlocks);
            }
        }
        int seen = Math.min(visible, context.count());
        for (int tile = 0; tile < seen; tile += POSITIONS) {
            for (int row = first; row < end; row += QUERIES) {
                int count = Math.min(QUERIES, end - row);
                // What the first of these rows sees of the tile; each that follows sees one more.
                int common = firstPosition() + row + 1 - context.from() - tile;
                int positions = Math.min(Math.min(POSITIONS, seen - tile), common + count - 1);
                if (positions > 0) {
                    attendTile(head, row, count, tile, common, positions, worker);
                }
            }
        }
        if (visible <= context.count()) {
            finish(head, first, end);
        }
    }

    private static int queriesAt(int row, MlaWorkspace.Worker worker) {
        return row / QUERIES * worker.queriesSize;
    }

    /** [q_C ; q_R] of 16 rows as columns, with the softmax scale folded in; columns without a row are 0. */
    private void fillQueries(int head, int row, int count, float[] queries, int at) {
        Rows q = workspace.queries();
        int column = (firstHead + head) * config.qkHeadDim();
        int nope = config.qkNopeHeadDim();
        Arrays.fill(queries, at, at + (nopeBlocks + ropeBlocks) * OnlineAttention.PANEL_SIZE, 0f);
        int rotatedTo = at + nopeBlocks * OnlineAttention.PANEL_SIZE;
        for (int i = 0; i < count; i++) {
            int from = q.offset(batch.segmentStart(segment) + row + i) + column;
            for (int d = 0; d < nope; d++) {
                queries[at + d * QUERIES + i] = q.data()[from + d] * config.softmaxScale();
            }
            for (int d = 0; d < config.qkRopeHeadDim(); d++) {
                queries[rotatedTo + d * QUERIES + i] = q.data()[from + nope + d] * config.softmaxScale();
            }
        }
    }

    /**
     * Up to 16 rows meet a tile.
     *
     * @param common    positions that the first of them may see, were the tile without end; each that follows sees one
     *     more
     * @param positions of the tile that any of them sees
     */
    private void attendTile(
            int head, int row, int count, int tile, int common, int positions, MlaWorkspace.Worker worker) {
        float[] scores = worker.scores;
        float[] blocks = context.blocks(head);
        int tileAt = tile * OnlineAttention.BLOCK;
        int stride = context.capacity() * OnlineAttention.BLOCK;
        int queriesAt = queriesAt(row % ROWS_PER_CHUNK, worker);
        int rotatedAt = queriesAt + nopeBlocks * OnlineAttention.PANEL_SIZE;
        Arrays.fill(scores, 0f);
        OnlineAttention.addScores(worker.queries, queriesAt, nopeBlocks, blocks, tileAt, stride, positions, scores);
        OnlineAttention.addScores(
                worker.queries, rotatedAt, ropeBlocks, context.rotatedKeys(), tileAt, stride, positions, scores);
        int slot = context.slot(head, row / QUERIES);
        boolean causal = common < positions;
        if (causal) {
            hide(scores, count, common, positions);
        }
        OnlineAttention.weigh(scores, positions, context.slots(), slot, valueBlocks);
        int valuesAt = nopeBlocks * stride + tileAt;
        if (causal) {
            addCausalValues(scores, count, common, positions, blocks, valuesAt, stride, slot);
        } else {
            OnlineAttention.addValues(
                    scores, positions, blocks, valuesAt, stride, valueBlocks, 0, count, context.slots(), slot);
        }
    }

    /** Scores of positions that a row must not see. Their weights come near 0 and are not used. */
    private static void hide(float[] scores, int count, int common, int positions) {
        for (int i = 0; i < count; i++) {
            for (int position = Math.max(common + i, 0); position < positions; position++) {
                scores[position * QUERIES + i] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** Each row adds the values of the positions it sees, and touches no other: what comes later may be no number. */
    private void addCausalValues(
            float[] weights, int count, int common, int positions, float[] values, int valuesAt, int stride, int slot) {
        float[] slots = context.slots();
        for (int from = 0; from < count; from += Kernels.GROUP) {
            int shared = Math.clamp(common + from, 0, positions);
            OnlineAttention.addValues(
                    weights, shared, values, valuesAt, stride, valueBlocks, from, Kernels.GROUP, slots, slot);
            int end = Math.min(from + Kernels.GROUP, count);
            for (int i = from + 1; i < end; i++) {
                for (int position = shared; position < Math.min(common + i, positions); position++) {
                    float weight = weights[position * QUERIES + i];
                    for (int block = 0; block < valueBlocks; block++) {
                        int at = valuesAt + block * stride + position * OnlineAttention.BLOCK;
                        Kernels.addScaled(
                                weight,
                                values,
                                at,
                                slots,
                                OnlineAttention.valuesAt(slot, block, i),
                                OnlineAttention.BLOCK);
                    }
                }
            }
        }
    }

    private void finish(int head, int first, int end) {
        Rows attended = workspace.attended();
        int v = config.vHeadDim();
        for (int row = first; row < end; row++) {
            int at = attended.offset(batch.segmentStart(segment) + row) + (firstHead + head) * v;
            int slot = context.slot(head, row / QUERIES);
            OnlineAttention.finish(context.slots(), slot, row % QUERIES, attended.data(), at, v);
        }
    }
}
