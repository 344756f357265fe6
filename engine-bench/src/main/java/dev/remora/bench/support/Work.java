package dev.remora.bench.support;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The secondary results of every kernel. JMH divides by seconds, which turns seconds at the limit into a share of it. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Work {
    /** Memory that was read, 10^9 bytes a second. */
    public double gbps;

    /** f32 operations, 10^9 a second. */
    public double gflops;

    /** Share of the binding limit; 1 is the limit. */
    public double share;

    void add(Cost cost) {
        gbps += cost.bytes() * 1e-9;
        gflops += cost.flops() * 1e-9;
        share += cost.seconds();
    }
}
