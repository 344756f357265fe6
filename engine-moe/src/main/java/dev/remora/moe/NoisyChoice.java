package dev.remora.moe;

import dev.remora.moe.policy.Noise;

/**
 * Noise on what experts are chosen by. Its number u is a hash of seed, layer, position and expert, so neither other rows of
 * the step nor threads change it.
 */
final class NoisyChoice {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final double amplitude;
    private final long seed;

    NoisyChoice(Noise noise) {
        amplitude = noise.amplitude();
        seed = noise.seed();
    }

    /**
     * choice[e] += amplitude * u * score[e], for the experts that are within reach.
     *
     * @param s  scores without bias, n from {@code sAt}
     * @param c  what experts are chosen by, n from {@code cAt}; out of reach: negative infinity
     */
    void perturb(int layer, int position, float[] s, int sAt, float[] c, int cAt, int n) {
        long row = mix(mix(mix(seed) + layer) + position);
        for (int expert = 0; expert < n; expert++) {
            // Negative infinity stays what it is.
            c[cAt + expert] += (float) (amplitude * uniform(row, expert) * s[sAt + expert]);
        }
    }

    /** In [-1, 1). */
    private static double uniform(long row, int expert) {
        return (mix(row + expert) >> 11) * 0x1p-52;
    }

    /** A step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
    private static long mix(long value) {
        long z = value + GOLDEN;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
