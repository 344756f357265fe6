package dev.remora.bench;

import dev.remora.bench.support.Check;
import dev.remora.bench.support.Cost;
import dev.remora.bench.support.KernelBenchmark;
import dev.remora.bench.support.Matrices;
import dev.remora.core.sampling.Sampler;
import dev.remora.core.sampling.SamplingParams;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Param;

/** One token out of the vocabulary of DeepSeek-V3, on one thread. Counted is one reading of the logits. */
public class SamplingBenchmark extends KernelBenchmark {
    private static final int VOCABULARY = 129_280;
    private static final int TOP_K = 40;
    private static final float TOP_P = 0.95f;
    private static final float MIN_P = 0.05f;
    private static final float PENALTY = 1.1f;
    private static final int CHECKED = 16;
    private static final SamplingParams DEFAULTS = SamplingParams.defaults().withSeed(1);

    /** The kinds of sampling, by the names of the parameter. */
    private static final Map<String, SamplingParams> KINDS = Map.of(
            "greedy", SamplingParams.greedy(),
            "all", DEFAULTS,
            "top-k", DEFAULTS.withTopK(TOP_K),
            "top-p", DEFAULTS.withTopP(TOP_P),
            "min-p", DEFAULTS.withMinP(MIN_P),
            "penalties", SamplingParams.greedy().withRepetitionPenalty(PENALTY).withFrequencyPenalty(PENALTY));

    @Param({"greedy", "all", "top-k", "top-p", "min-p", "penalties"})
    public String kind;

    private final float[] drawn = new float[CHECKED];
    private SamplingParams params;
    private float[] logits;
    private Sampler sampler;
    private Cost cost;

    @Override
    protected void build(Arena memory) {
        params = KINDS.get(kind);
        logits = Matrices.floats(scaled(VOCABULARY), 1);
        for (int i = 0; i < logits.length; i++) {
            logits[i] *= 3; // as peaked as a model's own
        }
        Sampler checked = new Sampler(params, logits.length);
        for (int i = 0; i < CHECKED; i++) {
            drawn[i] = checked.sample(logits);
        }
        sampler = new Sampler(params, logits.length);
        cost = cost(4L * logits.length, 0);
    }

    @Override
    protected Cost invoke() {
        sampler.sample(logits);
        return cost;
    }

    @Override
    protected float[] result() {
        return drawn;
    }

    /** Sorts the whole vocabulary, as the rules of {@link Sampler} read, for several tokens in a row. */
    @Override
    protected void verify(float[] found) {
        int[] generated = new int[logits.length];
        long state = params.seed();
        for (int i = 0; i < CHECKED; i++) {
            float[] scores = penalised(generated);
            int[] order = IntStream.range(0, scores.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(id -> -scores[id]))
                    .mapToInt(id -> id)
                    .toArray();
            state += 0x9E3779B97F4A7C15L;
            int expected = params.isGreedy() ? order[0] : draw(scores, order, uniform(state));
            Check.close(kind, i, 0, found[i], expected, 0);
            generated[expected]++;
        }
    }

    private float[] penalised(int[] generated) {
        float[] scores = logits.clone();
        for (int id = 0; id < scores.length; id++) {
            if (generated[id] > 0) {
                float r = params.repetitionPenalty();
                scores[id] = scores[id] > 0 ? scores[id] / r : scores[id] * r;
                scores[id] -= params.frequencyPenalty() * generated[id] + params.presencePenalty();
            }
        }
        return scores;
    }

    private int draw(float[] scores, int[] order, double uniform) {
        double[] weight = Arrays.stream(order)
                .mapToDouble(id -> Math.exp((double) scores[id] - scores[order[0]]))
                .toArray();
        int kept = params.topK() > 0 ? params.topK() : weight.length;
        double enough = params.topP() * Arrays.stream(weight, 0, kept).sum();
        int count = 0;
        double sum = 0;
        while (count < kept && sum < enough && (count == 0 || weight[count] >= params.minP())) {
            sum += weight[count++];
        }
        boolean ranked = params.topK() > 0 || params.topP() < 1;
        int[] survivors = Arrays.copyOf(order, count);
        if (!ranked) {
            Arrays.sort(survivors);
        }
        double target = uniform * sum;
        double reached = 0;
        for (int id : survivors) {
            reached += Math.exp((double) scores[id] - scores[order[0]]);
            if (reached > target) {
                return id;
            }
        }
        return survivors[count - 1];
    }

    /** SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), the generator that the sampler documents. */
    private static double uniform(long state) {
        long z = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1p-53;
    }
}
