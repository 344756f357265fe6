package dev.remora.bench.support;

/**
 * What one invocation takes at least.
 *
 * @param bytes   read from memory
 * @param flops   f32 operations, two for each multiply-add
 * @param seconds that this machine needs for it at its limits
 */
public record Cost(double bytes, double flops, double seconds) {
    /** One phase after the other: neither's bytes are read while the other computes. */
    public Cost then(Cost next) {
        return new Cost(bytes + next.bytes, flops + next.flops, seconds + next.seconds);
    }
}
