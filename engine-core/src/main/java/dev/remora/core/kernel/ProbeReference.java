package dev.remora.core.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The specification of {@link ProbeKernels}: same signatures, no Vector API. */
final class ProbeReference {
    /** Vectors of chains. Two FMA units of latency 4 or 5 need ten; AVX2 has sixteen registers. */
    static final int VECTORS = 10;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ProbeReference() {}

    static int sum(MemorySegment memory, long from, int bytes) {
        int a = 0;
        for (int i = 0; i < bytes; i += Integer.BYTES) {
            a += memory.get(INT, from + i);
        }
        return a;
    }

    static void multiplyAdd(float factor, float[] chains, int rounds) {
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < Probe.CHAINS; i++) {
                chains[i] = RowReference.fma(factor, factor, chains[i]);
            }
        }
    }
}
