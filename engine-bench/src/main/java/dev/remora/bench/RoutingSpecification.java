package dev.remora.bench;

import dev.remora.bench.support.Plain;
import dev.remora.core.Rows;
import dev.remora.core.StoredMatrix;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.ScoringFunc;
import dev.remora.moe.TopkMethod;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The exact router in double, with lists and sorting. With the benchmarks' seeds no choice is so close that rounding decides. */
final class RoutingSpecification {
    private final MoeConfig config;
    private final StoredMatrix gate;
    private final float[] bias;

    RoutingSpecification(MoeConfig config, StoredMatrix gate, float[] bias) {
        this.config = config;
        this.gate = gate;
        this.bias = bias;
    }

    MoeConfig config() {
        return config;
    }

    double[] scores(Rows h, int row) {
        double[] s = Plain.multiply(gate, Plain.widen(h.data(), h.offset(row), config.hiddenSize()));
        if (config.scoringFunc() == ScoringFunc.SIGMOID) {
            return Arrays.stream(s).map(logit -> 1 / (1 + Math.exp(-logit))).toArray();
        }
        double sum = Arrays.stream(s).map(Math::exp).sum();
        return Arrays.stream(s).map(logit -> Math.exp(logit) / sum).toArray();
    }

    /** What experts are chosen by; negative infinity out of reach. */
    double[] choice(double[] scores) {
        double[] choice = scores.clone();
        for (int i = 0; i < bias.length; i++) {
            choice[i] += bias[i];
        }
        if (config.topkMethod() != TopkMethod.GREEDY) {
            maskGroups(choice);
        }
        return choice;
    }

    private void maskGroups(double[] choice) {
        int size = config.expertsPerGroup();
        int best = config.topkMethod() == TopkMethod.NOAUX_TC ? 2 : 1;
        double[] groups = IntStream.range(0, config.nGroup())
                .mapToDouble(group -> Arrays.stream(choice, group * size, (group + 1) * size)
                        .sorted()
                        .skip(size - best)
                        .sum())
                .toArray();
        List<Integer> kept = ranking(groups).subList(0, config.topkGroup());
        for (int i = 0; i < choice.length; i++) {
            if (!kept.contains(i / size)) {
                choice[i] = Double.NEGATIVE_INFINITY;
            }
        }
    }

    /** Indices, the largest value first. */
    static List<Integer> ranking(double[] values) {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -values[i]))
                .toList();
    }

    /** Sum of the scores of the exact choice. */
    double mass(double[] scores) {
        return ranking(choice(scores)).stream()
                .limit(config.numExpertsPerTok())
                .mapToDouble(e -> scores[e])
                .sum();
    }

    /** What one expert weighs. */
    double weight(double score, double mass) {
        boolean scaled = config.topkMethod() == TopkMethod.NOAUX_TC || !config.normTopkProb();
        return score * (scaled ? config.routedScalingFactor() : 1) / (config.normTopkProb() ? mass : 1);
    }

    /** Rounding moves a logit by so much, and a score by so much of itself. */
    static double tolerance(double rounding, int hiddenSize) {
        return 2 * rounding * Math.sqrt(hiddenSize);
    }
}
