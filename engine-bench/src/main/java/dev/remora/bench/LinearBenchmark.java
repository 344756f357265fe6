package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.Matrices;
import dev.remora.bench.support.Plain;
import dev.remora.bench.support.TeamBenchmark;
import dev.remora.core.Linear;
import dev.remora.core.Rows;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Param;

/** Y = X W^T over the team. Counted are the bytes of W and two operations for each weight and row. */
public abstract class LinearBenchmark extends TeamBenchmark {
    private static final int CHECKED_OUTPUTS = 1_999;
    private static final int CHECKED_ROWS = 16;

    @Param({"F32", "BF16", "F16", "FP8"})
    public String format;

    private StoredMatrix stored;
    private Linear[] copies;
    private Rows x;
    private Rows y;
    private Cost cost;

    /** Rows and columns of W as "rows x cols", without blanks. */
    abstract String shape();

    /** Rows of X. */
    abstract int count();

    @Override
    protected void build(Arena memory) {
        String[] dimensions = shape().split("x", -1);
        int rows = scaled(Integer.parseInt(dimensions[0]));
        int cols = scaled(Integer.parseInt(dimensions[1]));
        stored = Matrices.random(format, rows, cols, 1, memory);
        copies = new Linear[copies(stored.packedBytes())];
        Weight weight = null;
        for (int i = 0; i < copies.length; i++) {
            weight = stored.pack(memory);
            copies[i] = new Linear(weight, team(count()));
        }
        x = Matrices.rows(count(), cols, 2);
        y = new Rows(count(), rows);
        cost = cost(weight.bytes(), 2.0 * rows * cols * count());
    }

    @Override
    protected Cost invoke() {
        copies[next(copies.length)].forward(x, y);
        return cost;
    }

    @Override
    protected float[] result() {
        return y.data();
    }

    @Override
    protected void verify(float[] found) {
        double rounding = Check.rounding(stored.cols());
        for (int output : checked(stored.rows(), CHECKED_OUTPUTS)) {
            double[] w = Plain.row(stored, output);
            for (int row : checked(count(), CHECKED_ROWS)) {
                double[] input = Plain.widen(x.data(), x.offset(row), stored.cols());
                double expected = Plain.dot(w, 0, input, 0, input.length);
                double tolerance = rounding * Plain.magnitude(w, input);
                Check.close(format + " " + shape(), row, output, found[y.offset(row) + output], expected, tolerance);
            }
        }
    }
}
