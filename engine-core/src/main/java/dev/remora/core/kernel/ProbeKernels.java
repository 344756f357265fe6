package dev.remora.core.kernel;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Bandwidth and arithmetic with as little else as possible, at the width of all kernels. */
final class ProbeKernels {
    private static final int L = F.length();
    private static final long BYTES = F.vectorByteSize();
    private static final int STEP = 4 * F.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

    private ProbeKernels() {}

    static int sum(MemorySegment memory, long from, int bytes) {
        IntVector a = IntVector.zero(I);
        IntVector b = a;
        IntVector c = a;
        IntVector d = a;
        for (int i = 0; i < bytes; i += STEP) {
            a = IntVector.fromMemorySegment(I, memory, from + i, LITTLE).add(a);
            b = IntVector.fromMemorySegment(I, memory, from + i + BYTES, LITTLE).add(b);
            c = IntVector.fromMemorySegment(I, memory, from + i + 2 * BYTES, LITTLE)
                    .add(c);
            d = IntVector.fromMemorySegment(I, memory, from + i + 3 * BYTES, LITTLE)
                    .add(d);
        }
        return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
    }

    static void multiplyAdd(float factor, float[] chains, int rounds) {
        for (int at = 0; at < Probe.CHAINS; at += ProbeReference.VECTORS * L) {
            multiplyAdd(factor, chains, at, rounds);
        }
    }

    private static void multiplyAdd(float factor, float[] chains, int at, int rounds) {
        FloatVector f = FloatVector.broadcast(F, factor);
        FloatVector a = FloatVector.fromArray(F, chains, at);
        FloatVector b = FloatVector.fromArray(F, chains, at + L);
        FloatVector c = FloatVector.fromArray(F, chains, at + 2 * L);
        FloatVector d = FloatVector.fromArray(F, chains, at + 3 * L);
        FloatVector e = FloatVector.fromArray(F, chains, at + 4 * L);
        FloatVector g = FloatVector.fromArray(F, chains, at + 5 * L);
        FloatVector h = FloatVector.fromArray(F, chains, at + 6 * L);
        FloatVector i = FloatVector.fromArray(F, chains, at + 7 * L);
        FloatVector j = FloatVector.fromArray(F, chains, at + 8 * L);
        FloatVector k = FloatVector.fromArray(F, chains, at + 9 * L);
        for (int round = 0; round < rounds; round++) {
            a = f.fma(f, a);
            b = f.fma(f, b);
            c = f.fma(f, c);
            d = f.fma(f, d);
            e = f.fma(f, e);
            g = f.fma(f, g);
            h = f.fma(f, h);
            i = f.fma(f, i);
            j = f.fma(f, j);
            k = f.fma(f, k);
        }
        a.intoArray(chains, at);
        b.intoArray(chains, at + L);
        c.intoArray(chains, at + 2 * L);
        d.intoArray(chains, at + 3 * L);
        e.intoArray(chains, at + 4 * L);
        g.intoArray(chains, at + 5 * L);
        h.intoArray(chains, at + 6 * L);
        i.intoArray(chains, at + 7 * L);
        j.intoArray(chains, at + 8 * L);
        k.intoArray(chains, at + 9 * L);
    }
}
