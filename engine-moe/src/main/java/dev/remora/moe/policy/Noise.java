package dev.remora.moe.policy;

/**
 * A slight randomness of the choice, never of the weights: the score of an expert counts 1 + amplitude * u times, where u, in
 * [-1, 1), is a function of seed, layer, position in the sequence and expert alone.
 *
 * @param amplitude 0 to 1
 * @param seed      the same seed gives the same choice
 */
public record Noise(double amplitude, long seed) {
    /** @throws IllegalArgumentException if the amplitude is out of its range */
    public Noise {
        if (!(amplitude >= 0 && amplitude <= 1)) {
            throw new IllegalArgumentException("noise: expected an amplitude of 0 to 1, found " + amplitude);
        }
    }
}
