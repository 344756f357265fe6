package dev.remora.core;

import java.util.Optional;

/**
 * Runs several gated networks, each over its own rows, in two parallel ranges: all gate and up tiles, then all down tiles.
 * A dense layer is one group; a mixture of experts has one group for each chosen expert and one for the shared expert.
 * Filled anew each step; nothing is allocated. Where a matrix has an {@link InputTransform}, the rows that gate and up read
 * are transformed once for all groups before the first range, and the activations, which only down reads, in place before
 * the second.
 */
public final class SwiGluGroups {
    private final ThreadTeam team;
    private final SwiGlu[] networks;
    private final Rows[] inputs;
    private final Rows[] transformed;
    private final Rows[] activations;
    private final Rows[] outputs;
    private final ParallelTask activate = this::activate;
    private final ParallelTask project = this::project;
    private final ParallelTask transformInput = this::transformInput;
    private final ParallelTask transformActivation = this::transformActivation;
    private Rows source;
    private Optional<InputTransform> transform = Optional.empty();
    private int groups;

    /** For up to {@code capacity} groups a step. */
    public SwiGluGroups(ThreadTeam team, int capacity) {
        this.team = team;
        networks = new SwiGlu[capacity];
        inputs = new Rows[capacity];
        activations = new Rows[capacity];
        outputs = new Rows[capacity];
        transformed = new Rows[team.inputs().capacity() == 0 ? 0 : capacity];
        for (int group = 0; group < transformed.length; group++) {
            transformed[group] = team.inputs().selection(team.inputs().capacity());
        }
    }

    /** Bytes that {@code capacity} groups take beside the team's if it transforms inputs. */
    public static long bytes(int capacity, int maxRows) {
        return (long) Integer.BYTES * capacity * maxRows;
    }

    /**
     * Forgets the groups of the step before.
     *
     * @param rows that the inputs of all groups are taken from, sharing their storage
     */
    public void clear(Rows rows) {
        source = rows;
        groups = 0;
    }

    /**
     * Adds one network with its rows; all three must have the same count.
     *
     * @param x          (n, hidden), of the rows that {@link #clear} was told
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
        int inputRows = 0;
        int activationRows = 0;
        transform = Optional.empty();
        for (int group = 0; group < groups; group++) {
            gateTiles += networks[group].gate().tiles();
            downTiles += networks[group].down().tiles();
            boolean gate = note(networks[group].gate());
            boolean up = note(networks[group].up());
            if (gate || up) {
                inputRows = source.count();
            }
            if (note(networks[group].down())) {
                activationRows += activations[group].count();
            }
        }
        if (inputRows > 0) {
            shareTransformed();
            team.run(transformInput, inputRows);
        }
        team.run(activate, gateTiles);
        team.run(transformActivation, activationRows);
        team.run(project, downTiles);
    }

    /** True if the weight has a transformation, which then is the one of the step. */
    private boolean note(Weight weight) {
        Optional<InputTransform> found = weight.inputTransform();
        if (found.isEmpty()) {
            return false;
        }
        if (transform.isPresent() && !transform.equals(found)) {
            throw new IllegalArgumentException(
                    "networks of one step transform their inputs differently: " + transform.get() + ", " + found.get());
        }
        transform = found;
        return true;
    }

    /** A transformed row lies where the row itself lies in its own storage, so that selections of either agree. */
    private void shareTransformed() {
        if (source.data().length > team.inputs().data().length) {
            throw new IllegalArgumentException("a weight transforms rows of " + source.width()
                    + " values; the team was made for " + team.inputs().width());
        }
        for (int group = 0; group < groups; group++) {
            transformed[group].select(inputs[group], 0, inputs[group].count());
        }
    }

    private void transformInput(int row, Scratch scratch) {
        int at = source.offset(row);
        transform.orElseThrow().apply(source.data(), at, team.inputs().data(), at, source.width());
    }

    private void transformActivation(int chunk, Scratch scratch) {
        int group = 0;
        int row = chunk;
        while (networks[group].down().inputTransform().isEmpty() || row >= activations[group].count()) {
            row -= networks[group].down().inputTransform().isEmpty() ? 0 : activations[group].count();
            group++;
        }
        float[] a = activations[group].data();
        int at = activations[group].offset(row);
        transform.orElseThrow().apply(a, at, a, at, networks[group].intermediateSize());
    }

    private void activate(int chunk, Scratch scratch) {
        int group = 0;
        int tile = chunk;
        while (tile >= networks[group].gate().tiles()) {
            tile -= networks[group].gate().tiles();
            group++;
        }
        Rows forTransforming = transformed.length == 0 ? inputs[group] : transformed[group];
        networks[group].activate(inputs[group], forTransforming, activations[group], tile, scratch);
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
