package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.core.Rope;
import dev.remora.core.RopeScaling;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Param;

/** Rotation of all heads of one row, with the table of its position filled anew, on one thread. */
public class RopeBenchmark extends KernelBenchmark {
    private static final int FLOPS_PER_PAIR = 6;
    private static final int DIMENSION = 64;
    private static final double THETA = 10_000;
    private static final int POSITION = 4_095;

    /** DeepSeek-V2-Lite and V3. */
    @Param({"16", "128"})
    public int heads;

    private final Rope rope = new Rope(DIMENSION, THETA, new RopeScaling.None());
    private final float[] table = new float[rope.tableWidth()];
    private float[] x;
    private float[] y;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        x = Matrices.floats(heads * DIMENSION, 1);
        y = new float[x.length];
        cost = cost(0, (double) FLOPS_PER_PAIR * x.length / 2);
    }

    @Override
    protected Cost invoke() {
        System.arraycopy(x, 0, y, 0, y.length);
        rope.fillTable(POSITION, table, 0);
        for (int head = 0; head < heads; head++) {
            rope.rotate(y, head * DIMENSION, table, 0);
        }
        return cost;
    }

    @Override
    protected float[] result() {
        return y;
    }

    @Override
    protected void verify(float[] found) {
        for (int i = 0; i < x.length; i += 2) {
            double angle = POSITION * Math.pow(THETA, -(double) (i % DIMENSION) / DIMENSION);
            double even = x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle);
            double odd = x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle);
            double tolerance = Check.rounding(2) * (Math.abs(x[i]) + Math.abs(x[i + 1]));
            Check.close("RoPE", 0, i, found[i], even, tolerance);
            Check.close("RoPE", 0, i + 1, found[i + 1], odd, tolerance);
        }
    }
}
