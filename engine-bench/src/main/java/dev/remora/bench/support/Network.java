package dev.remora.bench.support;

import dev.remora.core.StoredMatrix;
import dev.remora.core.SwiGlu;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;

/** The three matrices of a gated network, as stored. */
public record Network(StoredMatrix gate, StoredMatrix up, StoredMatrix down) {
    /** Random matrices in a format of {@link Matrices#random}. */
    public static Network random(String format, int width, int hidden, long seed, Arena arena) {
        return new Network(
                Matrices.random(format, width, hidden, seed, arena),
                Matrices.random(format, width, hidden, seed + 1, arena),
                Matrices.random(format, hidden, width, seed + 2, arena));
    }

    public SwiGlu pack(Arena arena) {
        return new SwiGlu(gate.pack(arena), up.pack(arena), down.pack(arena));
    }

    /** Bytes that one pass reads. */
    public long bytes() {
        return gate.packedBytes() + up.packedBytes() + down.packedBytes();
    }

    /** Operations of one row. */
    public double flops() {
        return 6.0 * gate.rows() * gate.cols();
    }

    /** down(silu(gate(x)) * up(x)), in double. */
    public double[] forward(double[] x) {
        double[] g = Plain.multiply(gate, x);
        double[] u = Plain.multiply(up, x);
        double[] activation = IntStream.range(0, g.length)
                .mapToDouble(i -> Plain.silu(g[i]) * u[i])
                .toArray();
        return Plain.multiply(down, activation);
    }
}
