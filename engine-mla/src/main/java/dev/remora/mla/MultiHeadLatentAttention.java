package dev.remora.mla;

import dev.remora.core.Attention;
import dev.remora.core.Batch;
import dev.remora.core.Linear;
import dev.remora.core.ParallelTask;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import java.util.List;

/**
 * Multi-head latent attention of one layer. Equation numbers are those of arXiv:2405.04434, section 2.1.2 and 2.1.3;
 * positions are rotated in pairs, and scores are scaled with YaRN's factor where the model has one.
 */
public final class MultiHeadLatentAttention implements Attention {
    private static final int ROWS_PER_CHUNK = 8;

    private final MlaConfig config;
    private final MlaWeights w;
    private final MlaWorkspace workspace;
    private final AbsorbedAttention absorbed;
    private final ExpandedAttention expanded;
    private final Linear down;
    private final Linear qB;
    private final Linear o;
    private final Rows[] downOutputs;
    private final ParallelTask normalize = this::normalizeRows;
    private final ParallelTask place = this::placeRows;
    private Batch batch;
    private int layer;

    /**
     * @param workspace of the engine, shared by all layers
     */
    public MultiHeadLatentAttention(MlaWeights w, MlaWorkspace workspace) {
        this.config = workspace.config();
        this.w = w;
        this.workspace = workspace;
        this.absorbed = new AbsorbedAttention(w, workspace);
        this.expanded = new ExpandedAttention(w, workspace);
        boolean compressed = w.qAProj() != null;
        this.down = new Linear(
                List.of(compressed ? w.qAProj() : w.qProj(), w.kvAProjWithMqa()),
                List.of(w.qABias(), w.kvABias()),
                workspace.team());
        this.downOutputs =
                new Rows[] {compressed ? workspace.compressedQueries() : workspace.queries(), workspace.latents()};
        this.qB = compressed ? new Linear(w.qBProj(), workspace.team()) : null;
        this.o = new Linear(List.of(w.oProj()), List.of(w.oBias()), workspace.team());
    }

    @Override
    public int cacheBytesPerRow() {
        return workspace.cache().rowBytes();
    }

    @Override
    public void forward(Rows h, Batch rows, int cacheLayer, Rows out) {
        batch = rows;
        layer = cacheLayer;
        workspace.begin(batch);

        down.forward(h, downOutputs); // (9) c_KV = W_DKV h, (15) k_R = W_KR h; (12) c_Q = W_DQ h, or q = W_Q h
        if (qB != null) {
            Rows compressed = workspace.compressedQueries();
            workspace.team().run(normalize, Math.ceilDiv(compressed.count(), ROWS_PER_CHUNK));
            qB.forward(compressed, workspace.queries()); // (13)(14) per head [q_C ; q_R]
        }
        int chunks = Math.ceilDiv(batch.rows(), ROWS_PER_CHUNK);
        workspace.team().run(place, chunks); // (14)(15) RoPE, then [c_KV ; k_R] into the cache

        Rows attended = workspace.attended(); // (16)(17) o = softmax(q^T k * scale) v
        attended.resize(batch.rows());
        absorbed.forward(batch, layer);
        expanded.forward(batch, layer);

        o.forward(attended, out); // (18) u = W_O [o_1 ; ... ; o_nh]
    }

    private void normalizeRows(int chunk, Scratch scratch) {
        Rows compressed = workspace.compressedQueries();
        int end = Math.min((chunk + 1) * ROWS_PER_CHUNK, compressed.count());
        for (int row = chunk * ROWS_PER_CHUNK; row < end; row++) {
            w.qALayernorm().forward(compressed.data(), compressed.offset(row), scratch);
        }
    }

    private void placeRows(int chunk, Scratch scratch) {
        int end = Math.min((chunk + 1) * ROWS_PER_CHUNK, batch.rows());
        Rows q = workspace.queries();
        Rows latents = workspace.latents();
        float[] table = workspace.rotations().data();
        int segment = 0;
        for (int row = chunk * ROWS_PER_CHUNK; row < end; row++) {
            while (batch.segmentStart(segment + 1) <= row) {
                segment++;
            }
            int tableAt = workspace.rotations().offset(row);
            for (int head = 0; head < config.numAttentionHeads(); head++) {
                int at = q.offset(row) + head * config.qkHeadDim() + config.qkNopeHeadDim();
                workspace.rope().rotate(q.data(), at, table, tableAt);
            }
            int latentAt = latents.offset(row);
            w.kvALayernorm().forward(latents.data(), latentAt, scratch);
            workspace.rope().rotate(latents.data(), latentAt + config.kvLoraRank(), table, tableAt);
            workspace.cache().store(batch.sequence(segment), layer, batch.position(row), latents.data(), latentAt);
        }
    }
}
