package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.fp8.E4m3;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Param;

/**
 * E4M3, number by number, on one thread: what reading an embedding and quantising a checkpoint do. Counted are the bytes
 * that go in; the codes of a multiplication are decoded in registers, see {@link MatvecBenchmark}.
 */
public class Fp8CodecBenchmark extends KernelBenchmark {
    private static final int VALUES = 1 << 20;

    @Param({"encode", "decode"})
    public String direction;

    private float[] numbers;
    private byte[] codes;
    private float[] decoded;
    private boolean encodes;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        encodes = direction.equals("encode");
        numbers = Matrices.floats(scaled(VALUES), 1);
        codes = new byte[numbers.length];
        decoded = new float[numbers.length];
        encode();
        cost = cost(encodes ? 4L * numbers.length : codes.length, 0);
    }

    @Override
    protected Cost invoke() {
        if (encodes) {
            encode();
        } else {
            decode();
        }
        return cost;
    }

    private void encode() {
        for (int i = 0; i < numbers.length; i++) {
            codes[i] = E4m3.toCode(numbers[i]);
        }
    }

    private void decode() {
        for (int i = 0; i < codes.length; i++) {
            decoded[i] = E4m3.toFloat(codes[i]);
        }
    }

    @Override
    protected float[] result() {
        decode();
        return decoded;
    }

    /** The nearest number of three bits of mantissa, or of the steps of 2^-9 that are left below 2^-6. */
    @Override
    protected void verify(float[] found) {
        for (int i = 0; i < numbers.length; i++) {
            double step = Math.scalb(1.0, Math.max(Math.getExponent(numbers[i]), -6) - 3);
            Check.close("E4M3 " + direction, 0, i, found[i], Math.rint(numbers[i] / step) * step, 0);
        }
    }
}
