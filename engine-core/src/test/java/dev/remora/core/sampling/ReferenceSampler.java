package dev.remora.core.sampling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The rules of {@link Sampler}, written as plainly as they read, with a full sort. */
final class ReferenceSampler {
    record Candidate(int id, double probability) {}

    private final SamplingParams params;
    private final SplitMix64 random;
    private final Set<Integer> seen = new HashSet<>();
    private final Map<Integer, Integer> counts = new HashMap<>();

    ReferenceSampler(SamplingParams params) {
        this.params = params;
        random = new SplitMix64(params.seed());
    }

    void observe(int... ids) {
        for (int id : ids) {
            seen.add(id);
        }
    }

    float[] adjusted(float[] logits) {
        float[] l = logits.clone();
        for (int id = 0; id < l.length; id++) {
            l[id] += params.logitBias().getOrDefault(id, 0f);
            if (seen.contains(id)) {
                l[id] = l[id] > 0 ? l[id] / params.repetitionPenalty() : l[id] * params.repetitionPenalty();
            }
            if (counts.containsKey(id)) {
                l[id] -= params.frequencyPenalty() * counts.get(id) + params.presencePenalty();
            }
        }
        return l;
    }

    /** Survivors in the order of drawing, probabilities renormalised. */
    List<Candidate> survivors(float[] logits) {
        float[] l = adjusted(logits);
        double max = Double.NEGATIVE_INFINITY;
        for (float x : l) {
            max = Math.max(max, x);
        }
        List<Candidate> all = new ArrayList<>();
        for (int id = 0; id < l.length; id++) {
            all.add(new Candidate(id, Math.exp((l[id] - max) / params.temperature())));
        }
        List<Candidate> list = new ArrayList<>(all);
        list.sort(Comparator.comparingDouble((Candidate c) -> 0.0 - l[c.id()]).thenComparingInt(Candidate::id));
        double best = list.get(0).probability();
        if (params.topK() > 0 && params.topK() < list.size()) {
            list = list.subList(0, params.topK());
        }
        if (params.topP() < 1) {
            double total = list.stream().mapToDouble(Candidate::probability).sum();
            double sum = 0;
            int n = 0;
            while (n < list.size() && sum < params.topP() * total) {
                sum += list.get(n++).probability();
            }
            list = list.subList(0, n);
        }
        list = list.stream()
                .filter(c -> c.probability() >= params.minP() * best)
                .toList();
        boolean ranked = (params.topK() > 0 && params.topK() < l.length) || params.topP() < 1;
        if (!ranked) {
            list = list.stream().sorted(Comparator.comparingInt(Candidate::id)).toList();
        }
        double total = list.stream().mapToDouble(Candidate::probability).sum();
        return list.stream()
                .map(c -> new Candidate(c.id(), c.probability() / total))
                .toList();
    }

    int sample(float[] logits) {
        int id;
        if (params.isGreedy()) {
            float[] l = adjusted(logits);
            id = 0;
            for (int i = 1; i < l.length; i++) {
                id = l[i] > l[id] ? i : id;
            }
        } else {
            double u = random.nextDouble();
            double sum = 0;
            id = -1;
            for (Candidate c : survivors(logits)) {
                sum += c.probability();
                id = c.id();
                if (sum > u) {
                    break;
                }
            }
        }
        seen.add(id);
        counts.merge(id, 1, Integer::sum);
        return id;
    }
}
