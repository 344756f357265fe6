package dev.remora.moe;

import dev.remora.core.Batch;
import dev.remora.core.FeedForward;
import dev.remora.core.ParallelTask;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.SwiGlu;
import dev.remora.core.SwiGluGroups;
import dev.remora.core.kernel.Kernels;
import java.util.Arrays;
import java.util.Optional;

/**
 * The feed-forward half of a sparse layer: out = shared(h) + sum over the chosen experts of weight * expert(h)
 * (arXiv:2412.19437, (12)). Each chosen expert reads its weights once for all of its rows.
 */
public final class MixtureOfExperts implements FeedForward {
    private static final int CHUNK_ROWS = 8;

    private final int layer;
    private final Router router;
    private final ExpertStore experts;
    private final SwiGlu shared;
    private final MoeWorkspace workspace;
    private final ParallelTask combine = this::combineChunk;
    private Rows sum;

    /**
     * @param layer     index in the model, as the store counts
     * @param shared    the shared experts as one network of width n_shared_experts * moe_intermediate_size; empty if the
     *                  model has none
     * @param workspace the router's, shared by all layers
     */
    public MixtureOfExperts(
            int layer,
            MoeConfig config,
            Router router,
            ExpertStore experts,
            Optional<SwiGlu> shared,
            MoeWorkspace workspace) {
        this.layer = layer;
        this.router = router;
        this.experts = experts;
        this.shared = shared.orElse(null);
        this.workspace = workspace;
        if (shared.isPresent() != config.nSharedExperts() > 0) {
            throw new IllegalArgumentException("layer " + layer + ": n_shared_experts is " + config.nSharedExperts()
                    + ", but the shared network is " + (shared.isPresent() ? "present" : "absent"));
        }
        if (shared.isPresent()) {
            ResidentExperts.requireShape(
                    "layer " + layer + ", shared experts",
                    shared.get(),
                    "n_shared_experts * moe_intermediate_size",
                    config.sharedIntermediateSize(),
                    config.hiddenSize());
        }
    }

    @Override
    public void forward(Rows h, Batch batch, Rows out) {
        if (h.count() > workspace.maxRows()) {
            throw new IllegalArgumentException(h.count() + " rows; the workspace was made for " + workspace.maxRows());
        }
        out.resize(h.count());
        if (h.count() == 0) {
            return;
        }
        router.route(h, batch, layer, experts);
        workspace.listener().routed(layer, workspace.routing());
        workspace.expertGroups().sort(h, workspace.routing());
        runExperts(h, out);
        sum = out;
        workspace.team().run(combine, (h.count() + CHUNK_ROWS - 1) / CHUNK_ROWS);
    }

    /** All networks in as few parallel ranges as the store allows; one if experts are resident. */
    private void runExperts(Rows h, Rows out) {
        ExpertGroups groups = workspace.expertGroups();
        SwiGluGroups runs = workspace.runs();
        runs.clear(h);
        if (shared != null) {
            workspace.sharedActivation().resize(h.count());
            runs.add(shared, h, workspace.sharedActivation(), out);
        }
        int acquired;
        for (int from = 0; from < groups.count(); from += acquired) {
            acquired = experts.acquire(layer, groups.ids(), from, groups.count(), workspace.networks());
            try {
                for (int i = 0; i < acquired; i++) {
                    int group = from + i;
                    runs.add(
                            workspace.networks()[i],
                            groups.input(group),
                            groups.activation(group),
                            groups.output(group));
                }
                runs.run();
            } finally {
                experts.release(layer, groups.ids(), from, from + acquired);
            }
            runs.clear(h);
        }
    }

    private void combineChunk(int chunk, Scratch scratch) {
        Routing routing = workspace.routing();
        ExpertGroups groups = workspace.expertGroups();
        Rows output = workspace.output();
        float[] y = sum.data();
        int perRow = routing.expertsPerRow();
        int end = Math.min((chunk + 1) * CHUNK_ROWS, routing.rows());
        for (int row = chunk * CHUNK_ROWS; row < end; row++) {
            int at = sum.offset(row);
            if (shared == null) {
                Arrays.fill(y, at, at + output.width(), 0f);
            }
            for (int rank = 0; rank < routing.count(row); rank++) {
                int slot = groups.slot(row * perRow + rank);
                Kernels.addScaled(routing.weight(row, rank), output.data(), output.offset(slot), y, at, output.width());
            }
        }
    }
}
