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
    private MixtureOfExperts next;
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

    /** Says which sparse layer runs next, so that its experts can be brought in ahead of time where that is needed. */
    public void before(MixtureOfExperts layerAfter) {
        next = layerAfter;
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
        workspace.expertGroups().sort(h, workspace.routing(), workspace.activePolicy());
        if (experts.limited()) {
            workspace.expertGroups().residentFirst(layer, experts);
        }
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
        addSubstitutes(groups, runs);
        int from = 0;
        do {
            from += runFrom(h, from, groups, runs);
            runs.clear(h);
        } while (from < groups.stored());
    }

    /** Networks in memory that run in place of experts that are not. */
    private void addSubstitutes(ExpertGroups groups, SwiGluGroups runs) {
        if (groups.stored() < groups.count()) {
            for (int group = 0; group < groups.count(); group++) {
                SwiGlu network = workspace.activePolicy().substitute(groups.id(group));
                if (network != null) {
                    add(runs, network, groups, group);
                }
            }
        }
    }

    /** Runs what was added and as many experts as the store has room for; returns their number. */
    private int runFrom(Rows h, int from, ExpertGroups groups, SwiGluGroups runs) {
        if (groups.stored() == 0) {
            runs.run();
            return 0;
        }
        int acquired = experts.acquire(layer, groups.storedIds(), from, groups.stored(), workspace.networks());
        try {
            if (from == 0) {
                expectNext(h);
            }
            for (int i = 0; i < acquired; i++) {
                add(runs, workspace.networks()[i], groups, groups.storedGroup(from + i));
            }
            runs.run();
        } finally {
            experts.release(layer, groups.storedIds(), from, from + acquired);
        }
        return acquired;
    }

    /** While a row decodes: once this layer's experts were asked for, those of the next one come first. */
    private void expectNext(Rows h) {
        if (next != null && h.count() == 1 && experts.limited()) {
            next.router.guess(h);
            experts.expect(next.layer, workspace.guess(), workspace.guess().length);
        }
    }

    private static void add(SwiGluGroups runs, SwiGlu network, ExpertGroups groups, int group) {
        runs.add(network, groups.input(group), groups.activation(group), groups.output(group));
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
