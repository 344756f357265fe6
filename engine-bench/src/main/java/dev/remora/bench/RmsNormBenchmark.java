package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.bench.support.Plain;
import dev.remora.core.RmsNorm;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Param;

/** Normalisation of rows, on one thread. Counted are four operations a value. */
public class RmsNormBenchmark extends KernelBenchmark {
    private static final int FLOPS_PER_VALUE = 4;

    @Param({"2048", "7168"})
    public int width;

    @Param({"1", "512"})
    public int rows;

    private final Scratch scratch = new Scratch(0, 1);
    private float[] weight;
    private RmsNorm norm;
    private Rows x;
    private Rows y;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        weight = Matrices.floats(scaled(width), 1);
        norm = new RmsNorm(weight, Plain.EPSILON);
        x = Matrices.rows(rows, weight.length, 2);
        y = Matrices.rows(rows, weight.length, 3);
        cost = cost(0, (double) FLOPS_PER_VALUE * rows * weight.length);
    }

    @Override
    protected Cost invoke() {
        norm.forward(x, y, scratch);
        return cost;
    }

    @Override
    protected float[] result() {
        return y.data();
    }

    @Override
    protected void verify(float[] found) {
        for (int row = 0; row < rows; row++) {
            double[] expected = Plain.widen(x.data(), x.offset(row), weight.length);
            Plain.normalize(expected, weight.length, weight);
            for (int i = 0; i < weight.length; i++) {
                double tolerance = Check.rounding(weight.length) * Math.abs(expected[i]);
                Check.close("RMSNorm", row, i, found[y.offset(row) + i], expected[i], tolerance);
            }
        }
    }
}
