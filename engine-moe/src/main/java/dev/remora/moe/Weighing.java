package dev.remora.moe;

/** From the scores of chosen experts to their weights (13), as each router defines it. */
final class Weighing {
    private final boolean normalised;
    private final double factor;

    Weighing(MoeConfig config) {
        normalised = config.normTopkProb();
        // The softmax routers scale only what they do not normalise: so do the models' own implementations.
        boolean scaled = config.topkMethod() == TopkMethod.NOAUX_TC || !normalised;
        factor = scaled ? config.routedScalingFactor() : 1;
    }

    /**
     * The weight of one expert.
     *
     * @param score of the expert, without bias
     * @param mass  sum of the scores of the exact router's experts
     */
    float weight(float score, double mass) {
        return weight(score, mass, 1);
    }

    /** As the exact router weighs, times {@code scale}. */
    float weight(float score, double mass, double scale) {
        double divisor = normalised ? mass + 1e-20 : 1;
        return (float) (score / divisor * factor * scale);
    }
}
