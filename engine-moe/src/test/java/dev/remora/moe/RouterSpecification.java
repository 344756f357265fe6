package dev.remora.moe;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The router as the papers and the models' own code write it: lists, sorting, double. Ties go to the lower index. */
final class RouterSpecification {
    private RouterSpecification() {}

    record Choice(List<Integer> experts, List<Double> weights) {}

    static Choice route(MoeConfig config, float[] logits, float[] bias) {
        float[] scores = config.scoringFunc() == ScoringFunc.SOFTMAX ? softmax(logits) : sigmoid(logits);
        List<Integer> candidates = new ArrayList<>();
        for (int group : reachableGroups(config, scores, bias)) {
            for (int i = 0; i < config.expertsPerGroup(); i++) {
                candidates.add(group * config.expertsPerGroup() + i);
            }
        }
        candidates.sort(Comparator.<Integer>comparingDouble(e -> -biased(scores, bias, e))
                .thenComparing(e -> e));
        List<Integer> experts =
                candidates.stream().limit(config.numExpertsPerTok()).sorted().toList();
        double sum = 0;
        for (int expert : experts) {
            sum += scores[expert];
        }
        List<Double> weights = new ArrayList<>();
        for (int expert : experts) {
            double w = scores[expert];
            if (config.topkMethod() == TopkMethod.NOAUX_TC) {
                w = config.normTopkProb() ? w / (sum + 1e-20) : w;
                w *= config.routedScalingFactor();
            } else {
                w = config.normTopkProb() ? w / (sum + 1e-20) : w * config.routedScalingFactor();
            }
            weights.add(w);
        }
        return new Choice(experts, weights);
    }

    static List<Integer> reachableGroups(MoeConfig config, float[] scores, float[] bias) {
        List<Integer> groups = new ArrayList<>();
        for (int group = 0; group < config.nGroup(); group++) {
            groups.add(group);
        }
        if (config.topkMethod() == TopkMethod.GREEDY) {
            return groups;
        }
        groups.sort(Comparator.<Integer>comparingDouble(g -> -groupScore(config, scores, bias, g))
                .thenComparing(g -> g));
        return groups.subList(0, config.topkGroup());
    }

    private static float groupScore(MoeConfig config, float[] scores, float[] bias, int group) {
        List<Float> members = new ArrayList<>();
        for (int i = 0; i < config.expertsPerGroup(); i++) {
            members.add(biased(scores, bias, group * config.expertsPerGroup() + i));
        }
        members.sort(Comparator.reverseOrder());
        boolean topTwo = config.topkMethod() == TopkMethod.NOAUX_TC && members.size() > 1;
        return topTwo ? members.get(0) + members.get(1) : members.get(0);
    }

    static float biased(float[] scores, float[] bias, int expert) {
        return bias.length == 0 ? scores[expert] : scores[expert] + bias[expert];
    }

    static float[] softmax(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        // exponentials are f32, as the engine's: equal scores must be equal in both
        float[] scores = new float[logits.length];
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) StrictMath.exp(logits[i] - max);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (scores[i] / sum);
        }
        return scores;
    }

    static float[] sigmoid(float[] logits) {
        float[] scores = new float[logits.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (1 / (1 + StrictMath.exp(-(double) logits[i])));
        }
        return scores;
    }
}
