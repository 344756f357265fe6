package dev.remora.core;

/** The feed-forward half of the first, dense layers: one SwiGLU for all rows. */
public final class DenseFeedForward implements FeedForward {
    private final SwiGlu network;
    private final SwiGluGroups groups;
    private final Rows activation;

    /**
     * @param groups     of the engine, shared by all layers
     * @param activation (capacity, at least intermediate_size), shared by all layers
     */
    public DenseFeedForward(SwiGlu network, SwiGluGroups groups, Rows activation) {
        this.network = network;
        this.groups = groups;
        this.activation = activation;
    }

    @Override
    public void forward(Rows h, Batch batch, Rows out) {
        activation.resize(h.count());
        out.resize(h.count());
        groups.clear(h);
        groups.add(network, h, activation, out);
        groups.run();
    }
}
