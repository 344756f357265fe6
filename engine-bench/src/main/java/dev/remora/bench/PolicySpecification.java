package dev.remora.bench;

import dev.remora.core.Rows;
import dev.remora.moe.policy.Availability;
import dev.remora.moe.policy.Capacity;
import dev.remora.moe.policy.Noise;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.TopK;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/** What docs/routing.md says that a policy decides, one policy at a time, for the rows of a step. */
final class PolicySpecification {
    private final RoutingSpecification router;
    private final RouterPolicy policy;
    private final IntPredicate resident;
    private final double elsewhere;
    private final int k;

    /**
     * @param resident  the experts in memory
     * @param elsewhere availability of the others
     */
    PolicySpecification(RoutingSpecification router, RouterPolicy policy, IntPredicate resident, double elsewhere) {
        this.router = router;
        this.policy = policy;
        this.resident = resident;
        this.elsewhere = elsewhere;
        k = router.config().numExpertsPerTok();
    }

    /** The experts of each row. */
    List<List<Integer>> decide(Rows h, int rows, boolean decoding) {
        List<double[]> scores = new ArrayList<>();
        List<List<Integer>> rankings = new ArrayList<>();
        List<List<Integer>> decisions = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            scores.add(router.scores(h, row));
            double[] choice = router.choice(scores.get(row));
            if (decoding && policy.noise().isPresent()) {
                perturb(policy.noise().get(), scores.get(row), choice);
            }
            rankings.add(RoutingSpecification.ranking(choice));
            decisions.add(new ArrayList<>(rankings.get(row).subList(0, k)));
        }
        if (!decoding) {
            policy.capacity().ifPresent(capacity -> limit(capacity, rankings, decisions));
            return decisions;
        }
        for (int row = 0; row < rows; row++) {
            select(scores.get(row), decisions.get(row));
        }
        policy.availability().ifPresent(a -> preferAvailable(a, scores, rankings, decisions));
        if (policy.fallback().isPresent()) {
            for (int row = 0; row < rows; row++) {
                decisions.set(row, inMemory(rankings.get(row)));
            }
        }
        return decisions;
    }

    private void select(double[] scores, List<Integer> experts) {
        switch (policy.topK()) {
            case TopK.Exact exact -> {}
            case TopK.Fixed fixed -> experts.subList(fixed.k(), k).clear();
            case TopK.Adaptive adaptive -> {
                experts.sort(Comparator.comparingDouble(e -> -scores[e]));
                double total = experts.stream().mapToDouble(e -> scores[e]).sum();
                double kept = 0;
                int count = 0;
                while (count < k && (count < adaptive.kMin() || kept < adaptive.mass() * total)) {
                    kept += scores[experts.get(count)];
                    count++;
                }
                experts.subList(count, experts.size()).clear();
            }
        }
    }

    private void limit(Capacity capacity, List<List<Integer>> rankings, List<List<Integer>> decisions) {
        int n = router.config().nRoutedExperts();
        double share = Math.ceil(capacity.factor() * rankings.size() * k / n);
        int[] load = new int[n];
        for (int row = 0; row < rankings.size(); row++) {
            decisions.get(row).clear();
            for (int expert : rankings.get(row).subList(0, 2 * k)) {
                if (decisions.get(row).size() < k && load[expert] < Math.max(1, share)) {
                    decisions.get(row).add(expert);
                    load[expert]++;
                }
            }
        }
    }

    /** At position 0 of layer 0. */
    private static void perturb(Noise noise, double[] scores, double[] choice) {
        long row = mix(mix(mix(noise.seed())));
        for (int expert = 0; expert < choice.length; expert++) {
            double u = (mix(row + expert) >> 11) * 0x1p-52;
            choice[expert] += noise.amplitude() * u * scores[expert];
        }
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private void preferAvailable(
            Availability a, List<double[]> scores, List<List<Integer>> rankings, List<List<Integer>> decisions) {
        Set<Integer> certain = new HashSet<>();
        decisions.forEach(experts -> certain.addAll(experts.subList(0, a.keep())));
        for (int row = 0; row < decisions.size(); row++) {
            double[] s = scores.get(row);
            double mass = router.mass(s);
            List<Integer> experts = decisions.get(row);
            Set<Integer> fixed = new HashSet<>(experts.subList(0, a.keep()));
            double loss = 0;
            while (true) {
                Map<List<Integer>, Double> gains = new HashMap<>();
                for (int out : experts) {
                    for (int in : rankings.get(row).subList(0, a.shortlist())) {
                        double lost = (s[out] - s[in]) / mass;
                        double better = availability(in, certain) - availability(out, certain);
                        boolean possible = !fixed.contains(out) && !experts.contains(in) && better > 0;
                        if (possible && a.lambda() * better > lost && loss + lost <= a.maxLoss()) {
                            gains.put(List.of(out, in), a.lambda() * better - lost);
                        }
                    }
                }
                if (gains.isEmpty()) {
                    break;
                }
                List<Integer> best = gains.entrySet().stream()
                        .max(Map.Entry.comparingByValue())
                        .orElseThrow()
                        .getKey();
                loss += (s[best.get(0)] - s[best.get(1)]) / mass;
                experts.set(experts.indexOf(best.get(0)), best.get(1));
                fixed.add(best.get(1));
            }
        }
    }

    private double availability(int expert, Set<Integer> certain) {
        return certain.contains(expert) ? 1 : resident.test(expert) ? 0.5 : elsewhere;
    }

    /** Those of the exact choice that are there, and for each of the others the next that is. */
    private List<Integer> inMemory(List<Integer> ranking) {
        List<Integer> experts = new ArrayList<>(ranking.subList(0, k));
        experts.removeIf(expert -> !resident.test(expert));
        for (int expert : ranking.subList(k, 2 * k)) {
            if (experts.size() < k && resident.test(expert)) {
                experts.add(expert);
            }
        }
        return experts;
    }
}
