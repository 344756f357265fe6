package dev.remora.moe;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/** The policies as docs/routing.md states them: lists and sorting. Nothing is shared with the engine but the scores. */
final class PolicySpecification {
    final MoeConfig config;
    final float[] scores;
    final float[] bias;

    PolicySpecification(MoeConfig config, float[] logits, float[] bias) {
        this.config = config;
        this.bias = bias;
        scores = config.scoringFunc() == ScoringFunc.SOFTMAX
                ? RouterSpecification.softmax(logits)
                : RouterSpecification.sigmoid(logits);
    }

    /** The experts within reach, best first. */
    List<Integer> ranking() {
        List<Integer> ranking = new ArrayList<>();
        for (int group : RouterSpecification.reachableGroups(config, scores, bias)) {
            for (int i = 0; i < config.expertsPerGroup(); i++) {
                ranking.add(group * config.expertsPerGroup() + i);
            }
        }
        ranking.sort(Comparator.<Integer>comparingDouble(e -> -RouterSpecification.biased(scores, bias, e))
                .thenComparing(e -> e));
        return ranking;
    }

    /** Sum of the scores of the exact choice, added in ascending order of the expert. */
    double mass() {
        double mass = 0;
        for (int expert :
                ranking().stream().limit(config.numExpertsPerTok()).sorted().toList()) {
            mass += scores[expert];
        }
        return mass;
    }

    /** The row that meets these experts with the weights of the exact router, times a factor. */
    Decisions.Row row(List<Integer> experts, double factor) {
        double mass = mass();
        List<Integer> sorted = experts.stream().sorted().toList();
        List<Float> weights = new ArrayList<>();
        for (int expert : sorted) {
            double w = config.normTopkProb() ? scores[expert] / (mass + 1e-20) : scores[expert];
            if (config.topkMethod() == TopkMethod.NOAUX_TC || !config.normTopkProb()) {
                w *= config.routedScalingFactor();
            }
            weights.add((float) (w * factor));
        }
        return new Decisions.Row(sorted, weights);
    }

    Decisions.Row fixed(int k) {
        return row(ranking().subList(0, k), 1);
    }

    Decisions.Row adaptive(double share, int kMin, int kMax, boolean renormalize) {
        List<Integer> top = new ArrayList<>(ranking().subList(0, kMax));
        double total = top.stream().mapToDouble(e -> scores[e]).sum();
        // A stable sort: of equal scores the preferred one comes first.
        top.sort(Comparator.comparingDouble(e -> -scores[e]));
        List<Integer> kept = new ArrayList<>();
        double sum = 0;
        while (kept.size() < kMax && (kept.size() < kMin || sum < share * total)) {
            sum += scores[top.get(kept.size())];
            kept.add(top.get(kept.size()));
        }
        return row(kept, renormalize ? mass() / sum : 1);
    }

    /** Exchanges until none gains; {@code available} rates experts. */
    Decisions.Row available(int m, double lambda, int keep, double maxLoss, IntToDoubleFunction available) {
        List<Integer> shortlist = ranking().subList(0, Math.min(m, ranking().size()));
        List<Integer> chosen = new ArrayList<>(shortlist.subList(0, config.numExpertsPerTok()));
        List<Integer> fixed = new ArrayList<>(chosen.subList(0, Math.min(keep, chosen.size())));
        double mass = mass();
        double loss = 0;
        while (true) {
            Map<List<Integer>, Double> gains = new HashMap<>();
            for (int out : chosen) {
                for (int in : shortlist) {
                    double lost = scores[out] / mass - scores[in] / mass;
                    double better = available.applyAsDouble(in) - available.applyAsDouble(out);
                    double gain = lambda * better - lost;
                    if (!fixed.contains(out) && !chosen.contains(in) && better > 0 && gain > 0) {
                        if (loss + lost <= maxLoss) {
                            gains.put(List.of(out, in), gain);
                        }
                    }
                }
            }
            if (gains.isEmpty()) {
                return row(chosen, 1);
            }
            List<Integer> best = gains.entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .orElseThrow()
                    .getKey();
            loss += scores[best.get(0)] / mass - scores[best.get(1)] / mass;
            chosen.removeAll(List.of(best.get(0)));
            chosen.add(best.get(1));
            fixed.add(best.get(1));
        }
    }
}
