package dev.remora.core;

/**
 * Runs several gated networks, each over its own rows, in two parallel ranges: all gate and up tiles, then all down tiles.
 * A dense layer is one group; a mixture of experts has one group for each chosen expert and one for the shared expert.
 * Filled anew each step; nothing is allocated.
 */
public final class SwiGluGroups {
    private final ThreadTeam team;
    private final SwiGlu[] networks;
    private final Rows[] inputs;
    private final Rows[] activations;
    private final Rows[] outputs;
    private final ParallelTask activate = this::activate;
    private final ParallelTask project = this::project;
    private int groups;

    /** For up to {@code capacity} groups a step. */
    public SwiGluGroups(ThreadTeam team, int capacity) {
        this.team = team;
        networks = new SwiGlu[capacity];
        inputs = new Rows[capacity];
        activations = new Rows[capacity];
        outputs = new Rows[capacity];
    }

    /** Forgets the groups of the step before. */
    public void clear() {
        groups = 0;
    }

    /**
     * Adds one network with its rows; all three must have the same count.
     *
     * @param x          (n, hidden)
     * @param activation (n, at least intermediate), scratch
     * @param y          (n, hidden), overwritten
     */
    public void add(SwiGlu network, Rows x, Rows activation, Rows y) {
        networks[groups] = network;
        inputs[groups] = x;
        activations[groups] = activation;
        outputs[groups] = y;
        groups++;
    }

    /** Runs all groups. */
    public void run() {
        int gateTiles = 0;
        int downTiles = 0;
        for (int group = 0; group < groups; group++) {
            gateTiles += networks[group].gate().tiles();
            downTiles += networks[group].down().tiles();
        }
        team.run(activate, gateTiles);
        team.run(project, downTiles);
    }

    private void activate(int chunk, Scratch scratch) {
        int group = 0;
        int tile = chunk;
        while (tile >= networks[group].gate().tiles()) {
            tile -= networks[group].gate().tiles();
            group++;
        }
        networks[group].activate(inputs[group], activations[group], tile, scratch);
    }

    private void project(int chunk, Scratch scratch) {
        int group = 0;
        int tile = chunk;
        while (tile >= networks[group].down().tiles()) {
            tile -= networks[group].down().tiles();
            group++;
        }
        networks[group].down().multiply(activations[group], 0, outputs[group], 0, tile, scratch);
    }
}
