package dev.remora.core;

import dev.remora.core.kernel.Kernels;
import java.util.List;
import java.util.Optional;

/**
 * y = W x + b for all rows, the tiles of W spread over the team. One object holds the matrices of one phase that share
 * their input, so that they share one parallel range too.
 */
public final class Linear {
    private final Weight[] weights;
    private final float[][] biases;
    private final ThreadTeam team;
    private final Task task = new Task();
    private final Optional<InputTransform> transform;
    private final ParallelTask transformRow = this::transformRow;

    /** One matrix without bias. */
    public Linear(Weight weight, ThreadTeam team) {
        this(List.of(weight), List.of(new float[0]), team);
    }

    /**
     * Several matrices over the same input.
     *
     * @param biases one for each matrix; empty: none
     */
    public Linear(List<Weight> weights, List<float[]> biases, ThreadTeam team) {
        this.weights = weights.toArray(Weight[]::new);
        this.biases = biases.toArray(float[][]::new);
        this.team = team;
        this.transform = transform(weights);
        if (transform.isPresent() && team.inputs().width() < this.weights[0].cols()) {
            throw new IllegalArgumentException("a weight transforms rows of " + this.weights[0].cols()
                    + " values; the team was made for " + team.inputs().width());
        }
    }

    /** The one transformation of weights that share their input. */
    private static Optional<InputTransform> transform(List<Weight> weights) {
        List<InputTransform> found = weights.stream()
                .flatMap(weight -> weight.inputTransform().stream())
                .distinct()
                .toList();
        if (found.size() > 1) {
            throw new IllegalArgumentException("matrices that share their input transform it differently: " + found);
        }
        return found.stream().findFirst();
    }

    /** As {@link #forward(Rows, Rows[])}, for one matrix. */
    public void forward(Rows x, Rows y) {
        task.only[0] = y;
        forward(x, task.only);
    }

    /**
     * Multiplies all rows of x.
     *
     * @param x (n, cols)
     * @param y for each matrix (n, rows); their counts are set
     */
    public void forward(Rows x, Rows[] y) {
        int tiles = 0;
        for (int i = 0; i < weights.length; i++) {
            y[i].resize(x.count());
            tiles += weights[i].tiles();
        }
        int perChunk = x.count() < Weight.MANY_ROWS ? 1 : Math.clamp(tiles / (4 * team.size()), 1, 4);
        int chunks = 0;
        for (Weight weight : weights) {
            chunks += chunks(weight, perChunk);
        }
        task.perChunk = perChunk;
        task.x = x;
        task.y = y;
        if (transform.isPresent()) {
            team.inputs().resize(x.count());
            team.run(transformRow, x.count());
        }
        team.run(task, chunks);
    }

    private void transformRow(int row, Scratch scratch) {
        Rows inputs = team.inputs();
        Rows x = task.x;
        transform.orElseThrow().apply(x.data(), x.offset(row), inputs.data(), inputs.offset(row), weights[0].cols());
    }

    private static int chunks(Weight weight, int perChunk) {
        return (weight.tiles() + perChunk - 1) / perChunk;
    }

    private final class Task implements ParallelTask {
        private final Rows[] only = new Rows[1];
        private Rows x;
        private Rows[] y;
        private int perChunk;

        @Override
        public void run(int chunk, Scratch scratch) {
            int matrix = 0;
            int part = chunk;
            while (part >= chunks(weights[matrix], perChunk)) {
                part -= chunks(weights[matrix], perChunk);
                matrix++;
            }
            Weight weight = weights[matrix];
            int tile = part * perChunk;
            int tiles = Math.min(perChunk, weight.tiles() - tile);
            Rows input = weight.inputTransform().isPresent() ? team.inputs() : x;
            weight.multiplyTiles(input, 0, y[matrix], 0, tile, tiles, scratch);
            float[] bias = biases[matrix];
            if (bias.length > 0) {
                int from = tile * Weight.TILE;
                int count = Math.min(tiles * Weight.TILE, weight.rows() - from);
                for (int row = 0; row < x.count(); row++) {
                    Kernels.add(bias, from, y[matrix].data(), y[matrix].offset(row) + from, count);
                }
            }
        }
    }
}
