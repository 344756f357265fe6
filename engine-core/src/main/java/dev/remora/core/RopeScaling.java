package dev.remora.core;

/** How rotary frequencies are stretched beyond the context that a model was first trained with. */
public sealed interface RopeScaling {
    /** Not at all. */
    record None() implements RopeScaling {}

    /**
     * YaRN (arXiv:2309.00071).
     *
     * @param factor                        how much longer the context became
     * @param originalMaxPositionEmbeddings positions before that
     * @param betaFast                      dimensions with more rotations than this keep their frequency
     * @param betaSlow                      dimensions with fewer are interpolated by the whole factor
     * @param mscale                        weight of the logarithm in the rotation's magnitude
     * @param mscaleAllDim                  the same for the softmax, see {@link #softmaxFactor}; 0: none
     */
    record Yarn(
            double factor,
            int originalMaxPositionEmbeddings,
            double betaFast,
            double betaSlow,
            double mscale,
            double mscaleAllDim)
            implements RopeScaling {
        private static double magnitude(double factor, double mscale) {
            return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
        }
    }

    /**
     * What the attention's scale is multiplied with: the square of 0.1 * mscale_all_dim * ln(factor) + 1. Engines that
     * forget it answer fluently and wrongly.
     */
    default double softmaxFactor() {
        return switch (this) {
            case None none -> 1;
            case Yarn yarn -> {
                double m = yarn.mscaleAllDim == 0 ? 1 : Yarn.magnitude(yarn.factor, yarn.mscaleAllDim);
                yield m * m;
            }
        };
    }

    /** What cosine and sine are multiplied with. */
    default double rotationMagnitude() {
        return switch (this) {
            case None none -> 1;
            case Yarn yarn -> Yarn.magnitude(yarn.factor, yarn.mscale) / Yarn.magnitude(yarn.factor, yarn.mscaleAllDim);
        };
    }

    /** Angle per position of each of the {@code dimension / 2} pairs. */
    default double[] frequencies(int dimension, double theta) {
        double[] frequency = new double[dimension / 2];
        for (int i = 0; i < frequency.length; i++) {
            frequency[i] = Math.pow(theta, -2.0 * i / dimension);
        }
        if (this instanceof Yarn yarn) {
            double low = Math.floor(correctionDimension(yarn, yarn.betaFast, dimension, theta));
            double high = Math.ceil(correctionDimension(yarn, yarn.betaSlow, dimension, theta));
            low = Math.max(low, 0);
            high = Math.min(high, dimension - 1);
            if (low == high) {
                high += 0.001;
            }
            for (int i = 0; i < frequency.length; i++) {
                double ramp = Math.clamp((i - low) / (high - low), 0, 1);
                frequency[i] = frequency[i] / yarn.factor * ramp + frequency[i] * (1 - ramp);
            }
        }
        return frequency;
    }

    /** The dimension that turns {@code rotations} times within the original context. */
    private static double correctionDimension(Yarn yarn, double rotations, int dimension, double theta) {
        return dimension
                * Math.log(yarn.originalMaxPositionEmbeddings / (rotations * 2 * Math.PI))
                / (2 * Math.log(theta));
    }
}
