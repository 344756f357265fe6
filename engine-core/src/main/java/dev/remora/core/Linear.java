package dev.remora.core;

import dev.remora.core.kernel.Kernels;
import java.util.List;

/**
 * y = W x + b for all rows, the tiles of W spread over the team. One object holds the matrices of one phase that share
 * their input, so that they share one parallel range too.
 */
public final class Linear {
    private final Weight[] weights;
    private final float[][] biases;
    private final ThreadTeam team;
    private final Task task = new Task();

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
        int chunks = 0;
        for (int i = 0; i < weights.length; i++) {
            y[i].resize(x.count());
            chunks += weights[i].tiles();
        }
        task.x = x;
        task.y = y;
        team.run(task, chunks);
    }

    private final class Task implements ParallelTask {
        private final Rows[] only = new Rows[1];
        private Rows x;
        private Rows[] y;

        @Override
        public void run(int chunk, Scratch scratch) {
            int matrix = 0;
            int tile = chunk;
            while (tile >= weights[matrix].tiles()) {
                tile -= weights[matrix].tiles();
                matrix++;
            }
            Weight weight = weights[matrix];
            weight.multiply(x, 0, y[matrix], 0, tile, scratch);
            float[] bias = biases[matrix];
            if (bias.length > 0) {
                int from = tile * Weight.TILE;
                int count = Math.min(Weight.TILE, weight.rows() - from);
                for (int row = 0; row < x.count(); row++) {
                    Kernels.add(bias, from, y[matrix].data(), y[matrix].offset(row) + from, count);
                }
            }
        }
    }
}
