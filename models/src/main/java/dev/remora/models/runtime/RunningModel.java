package dev.remora.models.runtime;

import dev.remora.core.CachePool;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import dev.remora.models.deepseek.LayerWeights;
import dev.remora.models.experts.SlotExperts;
import dev.remora.models.transformer.Transformer;
import dev.remora.moe.MoeWorkspace;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;

/** A transformer with all that it runs on. One thread at a time runs steps; closing ends its threads and frees its memory. */
public final class RunningModel implements AutoCloseable {
    private final Arena arena;
    private final ThreadTeam team;
    private final Transformer transformer;
    private final Optional<MoeWorkspace> experts;
    private final CachePool pool;
    private final List<LayerWeights> layers;
    private final Weight head;
    private final Optional<SlotExperts> store;

    RunningModel(
            Arena arena,
            ThreadTeam team,
            Transformer transformer,
            Optional<MoeWorkspace> experts,
            CachePool pool,
            List<LayerWeights> layers,
            Weight head,
            Optional<SlotExperts> store) {
        this.arena = arena;
        this.team = team;
        this.transformer = transformer;
        this.experts = experts;
        this.pool = pool;
        this.layers = List.copyOf(layers);
        this.head = head;
        this.store = store;
    }

    public Transformer transformer() {
        return transformer;
    }

    /** What all sparse layers share, and what their policy and their listeners are set on; empty if there are none. */
    public Optional<MoeWorkspace> experts() {
        return experts;
    }

    /** The memory of all sequences. */
    public CachePool pool() {
        return pool;
    }

    /** The matrices of each layer, for accounts of what a step reads. */
    public List<LayerWeights> layers() {
        return layers;
    }

    /** The head, (vocab_size, hidden_size). */
    public Weight head() {
        return head;
    }

    /** No step may be running. */
    @Override
    public void close() {
        team.close();
        pool.close();
        store.ifPresent(SlotExperts::close);
        arena.close();
    }
}
