package dev.remora.core.kernel;

import java.lang.foreign.MemorySegment;

/** Work that takes nothing but memory bandwidth, or nothing but arithmetic: what the machine's limits are measured with. */
public final class Probe {
    /** Independent chains of {@link #multiplyAdd}: ten of the widest vectors, enough to hide the latency of the FMA units. */
    public static final int CHAINS = ProbeReference.VECTORS * RowReference.LANES;

    /** {@link #sum} reads multiples of so many bytes. */
    public static final int BLOCK = 4 * RowReference.LANES * Integer.BYTES;

    private Probe() {}

    /**
     * Reads memory once and returns the sum of its ints, modulo 2^32.
     *
     * @param bytes a multiple of {@link #BLOCK}
     */
    public static int sum(MemorySegment memory, long from, int bytes) {
        return VectorSupport.active() ? ProbeKernels.sum(memory, from, bytes) : ProbeReference.sum(memory, from, bytes);
    }

    /** {@code rounds} times chains[i] = factor * factor + chains[i], rounded once, for the first {@link #CHAINS} of them. */
    public static void multiplyAdd(float factor, float[] chains, int rounds) {
        if (VectorSupport.active()) {
            ProbeKernels.multiplyAdd(factor, chains, rounds);
        } else {
            ProbeReference.multiplyAdd(factor, chains, rounds);
        }
    }
}
