package dev.remora.models.bench;

/**
 * What the machine can do, measured with the engine's own threads and vector width.
 *
 * @param readGbps   memory that is read, in 10^9 bytes a second
 * @param fmaGflops  f32 fused multiply-adds, in 10^9 operations a second, two for each multiply-add
 * @param vectorBits width of the vectors; 0: none, the scalar kernels run
 * @param threads    that worked together
 */
public record MachineLimits(double readGbps, double fmaGflops, int vectorBits, int threads) {
    /** The least time in seconds in which so many bytes can be read and so many operations done, one beside the other. */
    public double seconds(double bytes, double flops) {
        return Math.max(readSeconds(bytes), fmaSeconds(flops));
    }

    double readSeconds(double bytes) {
        return bytes / (readGbps * 1e9);
    }

    double fmaSeconds(double flops) {
        return flops / (fmaGflops * 1e9);
    }
}
