package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.core.kernel.Kernels;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Param;

/** Maximum, e^x with its sum, and division, over the scores of one head: one thread, copying them first. */
public class SoftmaxBenchmark extends KernelBenchmark {
    /** e^x takes 23, the rest is a comparison, a difference, a sum and a product. */
    private static final int FLOPS_PER_VALUE = 27;

    @Param({"64", "4096", "16384"})
    public int positions;

    private final float[] partial = new float[Kernels.LANES];
    private float[] scores;
    private float[] y;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        scores = Matrices.floats(scaled(positions), 1);
        y = new float[scores.length];
        cost = cost(0, (double) FLOPS_PER_VALUE * scores.length);
    }

    @Override
    protected Cost invoke() {
        System.arraycopy(scores, 0, y, 0, y.length);
        float max = Kernels.maximum(y, 0, y.length);
        float sum = Kernels.expAndSum(y, 0, max, y.length, partial);
        Kernels.scale(1 / sum, y, 0, y.length);
        return cost;
    }

    @Override
    protected float[] result() {
        return y;
    }

    @Override
    protected void verify(float[] found) {
        double[] expected = new double[scores.length];
        Arrays.setAll(expected, i -> Math.exp(scores[i]));
        double sum = Arrays.stream(expected).sum();
        // The argument of e^x is rounded once, by as much as the largest difference of two scores.
        double tolerance = Check.rounding(scores.length) + 16 * 0x1p-24;
        for (int i = 0; i < found.length; i++) {
            Check.close("softmax", 0, i, found[i], expected[i] / sum, tolerance * expected[i] / sum);
        }
    }
}
