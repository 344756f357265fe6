package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.bench.support.Plain;
import dev.remora.core.kernel.Kernels;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Param;

/** The activation between the two halves of a gated network, on one thread and one row. */
public class SwiGluBenchmark extends KernelBenchmark {
    /** e^x takes 23, the rest is a negation, an addition, a division and a product. */
    private static final int FLOPS_PER_VALUE = 27;

    /** Largest distance of the polynomial for e^x from the true value, as a share of it. */
    private static final double EXP_ERROR = 4 * 0x1p-24;

    /** DeepSeek-V2-Lite: expert, dense layer; V3: expert, dense layer. */
    @Param({"1408", "10944", "2048", "18432"})
    public int width;

    private float[] gate;
    private float[] up;
    private float[] y;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        gate = Matrices.floats(scaled(width), 1);
        up = Matrices.floats(gate.length, 2);
        y = new float[gate.length];
        cost = cost(0, (double) FLOPS_PER_VALUE * gate.length);
    }

    @Override
    protected Cost invoke() {
        Kernels.swiGlu(gate, 0, up, 0, y, 0, y.length);
        return cost;
    }

    @Override
    protected float[] result() {
        return y;
    }

    @Override
    protected void verify(float[] found) {
        for (int i = 0; i < found.length; i++) {
            double expected = Plain.silu(gate[i]) * up[i];
            double tolerance = (EXP_ERROR + Check.rounding(3)) * Math.abs(expected);
            Check.close("SwiGLU", 0, i, found[i], expected, tolerance);
        }
    }
}
