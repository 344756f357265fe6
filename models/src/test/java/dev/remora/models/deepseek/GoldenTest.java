package dev.remora.models.deepseek;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.checkpoint.DType;
import dev.remora.mla.Evaluation;
import dev.remora.models.deepseek.GoldenModel.Trace;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The forward pass against the reference implementation's answers, which were evaluated in float64. */
@Tag("widths")
class GoldenTest {
    /** Stated with the goldens: largest difference of a logit, of the largest logit. */
    private static final double TOLERANCE = 2e-4;

    /**
     * A BF16 cache rounds every value by up to 2^-9 of itself, and attention reads it twice, as key and as value: in four
     * layers 8 * 2^-9. The bound holds for the median row: random weights leave experts so close to a tie that a rounding
     * may exchange one, and then a row differs by as much as experts do.
     */
    private static final double BF16_CACHE_TOLERANCE = 0x1p-6;

    @ParameterizedTest
    @CsvSource({
        "v2-lite, 512",
        "v2-lite, 1",
        "v2-lite, 7",
        "v2-lite, 64",
        "v2-grouped, 512",
        "v2-grouped, 1",
        "v2-grouped, 5",
        "v3-fp8, 512",
        "v3-fp8, 1",
        "v3-fp8, 33",
        "moonlight, 512",
        "moonlight, 1",
        "moonlight, 3"
    })
    void everyNumberEqualsTheReference(String name, int chunk) {
        try (GoldenModel model = new GoldenModel(name, CacheFormat.F32, Evaluation.CHEAPEST, 2)) {
            compare(name + " in chunks of " + chunk, model, chunk, TOLERANCE);
        }
    }

    @ParameterizedTest
    @CsvSource({"v2-lite, true", "v2-lite, false", "v3-fp8, true", "v3-fp8, false"})
    void bothEvaluationsEqualTheReference(String name, boolean expanded) {
        Evaluation evaluation = expanded ? Evaluation.EXPANDED : Evaluation.ABSORBED;
        try (GoldenModel model = new GoldenModel(name, CacheFormat.F32, evaluation, 2)) {
            compare(name + (expanded ? " expanded" : " absorbed"), model, 100, TOLERANCE);
        }
    }

    @ParameterizedTest
    @CsvSource({"v2-lite, 12", "v2-grouped, 8", "v3-fp8, 8", "moonlight, 12"})
    void policiesWithNothingToDoLeaveEveryBit(String name, int experts) {
        try (GoldenModel model = new GoldenModel(name, CacheFormat.F32, Evaluation.CHEAPEST, 2)) {
            RouterPolicy idle =
                    RouterPolicy.parse("mass:1+noise:0+capacity:1000+available:m=" + experts + ",lambda=0+fallback");
            int[] ids = model.goldenInts("input_ids");
            for (int chunk : new int[] {1, 7}) {
                model.policy(RouterPolicy.EXACT);
                Trace exact = model.newTrace();
                model.append(model.open(), ids, chunk);
                model.policy(idle);
                Trace found = model.newTrace();
                model.append(model.open(), ids, chunk);
                assertArrayEquals(exact.logits.toArray(), found.logits.toArray(), "chunks of " + chunk);
                model.policy(RouterPolicy.parse("topk:1+capacity:0.1"));
                Trace other = model.newTrace();
                model.append(model.open(), ids, chunk);
                assertFalse(Arrays.deepEquals(exact.logits.toArray(), other.logits.toArray()), "policies act");
            }
        }
    }

    private static void compare(String what, GoldenModel model, int chunk, double tolerance) {
        int[] ids = model.goldenInts("input_ids");
        CachePool.Sequence sequence = model.open();
        Trace trace = model.newTrace();
        model.append(sequence, ids, chunk);

        float[] logits = model.goldenFloats("logits");
        double worst = worstRelativeDifference(logits, trace.logits);
        System.getLogger("golden").log(System.Logger.Level.INFO, what + ": worst logit difference " + worst);
        assertTrue(worst <= tolerance, () -> what + ": logits differ by " + worst + " of the largest");

        int layers = model.config.numHiddenLayers();
        float[] hidden = model.goldenFloats("hidden_states");
        int size = ids.length * model.config.hiddenSize();
        for (int layer = 0; layer <= layers; layer++) {
            float[] expected = new float[size];
            System.arraycopy(hidden, layer * size, expected, 0, size);
            double difference = worstRelativeDifference(expected, trace.hidden.get(layer));
            int l = layer;
            assertTrue(difference <= tolerance, () -> what + ": hidden states " + l + " differ by " + difference);
        }
        for (int layer = 0; layer < layers; layer++) {
            compareLatents(what, model, sequence, layer, tolerance);
            if (model.golden.has("layers." + layer + ".topk_indices")) {
                compareRouting(what, model, trace, layer, tolerance);
            } else {
                assertEquals(List.of(), trace.experts.get(layer), what + ": layer " + layer + " is dense");
            }
        }
        sequence.close();
    }

    private static void compareLatents(
            String what, GoldenModel model, CachePool.Sequence sequence, int layer, double tolerance) {
        float[] expected = model.goldenFloats("layers." + layer + ".kv_latent");
        List<float[]> actual = new ArrayList<>();
        for (int position = 0; position < sequence.length(); position++) {
            actual.add(model.latent(sequence, layer, position));
        }
        double difference = worstRelativeDifference(expected, actual);
        assertTrue(difference <= tolerance, () -> what + ": latents of layer " + layer + " differ by " + difference);
    }

    private static void compareRouting(String what, GoldenModel model, Trace trace, int layer, double tolerance) {
        String prefix = "layers." + layer + ".topk_";
        assertTrue(model.golden.tensor(prefix + "indices").dtype() != DType.F32);
        int[] indices = model.goldenInts(prefix + "indices");
        float[] weights = model.goldenFloats(prefix + "weights");
        int k = trace.experts.get(layer).getFirst().length;
        assertEquals(indices.length / k, trace.experts.get(layer).size());
        for (int row = 0; row < indices.length / k; row++) {
            int[] expected = new int[k];
            System.arraycopy(indices, row * k, expected, 0, k);
            assertArrayEquals(expected, trace.experts.get(layer).get(row), what + ": experts of row " + row);
        }
        double difference = worstRelativeDifference(weights, trace.expertWeights.get(layer));
        assertTrue(
                difference <= tolerance,
                () -> what + ": expert weights of layer " + layer + " differ by " + difference);
    }

    private static double worstRelativeDifference(float[] expected, List<float[]> actual) {
        double largest = 0;
        double worst = 0;
        int at = 0;
        for (float[] row : actual) {
            for (float value : row) {
                largest = Math.max(largest, Math.abs(expected[at]));
                double difference = Math.abs(value - (double) expected[at]);
                // Also catches NaN, which no comparison would.
                worst = difference <= worst ? worst : difference;
                at++;
            }
        }
        assertEquals(expected.length, at, "values");
        return worst / largest;
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v2-grouped", "v3-fp8", "moonlight"})
    void greedyIdsAreTheReferences(String name) {
        try (GoldenModel model = new GoldenModel(name, CacheFormat.F32, Evaluation.CHEAPEST, 2)) {
            int[] expected = model.goldenInts("greedy_ids");
            int[] ids = Arrays.copyOf(expected, 16);
            CachePool.Sequence sequence = model.open();
            int[] next = ids;
            while (ids.length < expected.length) {
                Trace trace = model.newTrace();
                model.append(sequence, next, 512);
                next = new int[] {argmax(trace.logits.getLast())};
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = next[0];
            }
            assertArrayEquals(expected, ids);
        }
    }

    private static int argmax(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v2-grouped", "v3-fp8", "moonlight"})
    void cacheInBf16StaysWithinItsBound(String name) {
        try (GoldenModel model = new GoldenModel(name, CacheFormat.BF16, Evaluation.CHEAPEST, 2)) {
            int[] ids = model.goldenInts("input_ids");
            Trace trace = model.newTrace();
            model.append(model.open(), ids, 512);
            float[] expected = model.goldenFloats("logits");
            List<Double> differences = new ArrayList<>();
            float largest = 0;
            for (int row = 0; row < ids.length; row++) {
                double worst = 0;
                for (int i = 0; i < model.config.vocabSize(); i++) {
                    float value = expected[row * model.config.vocabSize() + i];
                    largest = Math.max(largest, Math.abs(value));
                    worst = Math.max(worst, Math.abs(trace.logits.get(row)[i] - value));
                }
                differences.add(worst);
            }
            Collections.sort(differences);
            double median = differences.get(ids.length / 2) / largest;
            System.getLogger("golden").log(System.Logger.Level.INFO, name + ", BF16 cache: median row " + median);
            assertTrue(median <= BF16_CACHE_TOLERANCE, () -> name + ": logits differ by " + median);
            assertTrue(median > 1e-5, () -> name + ": a BF16 cache cannot be this exact; is it in use? " + median);
        }
    }

    /**
     * E4M3 has steps of up to 2^-3 of a value, so rounding errs by up to 2^-4 of it. Latents of the first layer are products
     * of rows that were rounded once, with random weights: their error is that of the rows, in the root mean square. Nothing
     * like it holds further on: softmax and products of products amplify, and roundings exchange experts.
     */
    @Test
    void activationsInFp8ChangeTheFirstLatentsByTheirRounding() {
        try (GoldenModel model = new GoldenModel("v3-fp8", CacheFormat.F32, Evaluation.CHEAPEST, 2, Activations.FP8)) {
            int[] ids = model.goldenInts("input_ids");
            CachePool.Sequence sequence = model.open();
            model.append(sequence, ids, 512);
            float[] expected = model.goldenFloats("layers.0.kv_latent");
            int width = expected.length / ids.length;
            double error = 0;
            double size = 0;
            for (int position = 0; position < ids.length; position++) {
                float[] latent = model.latent(sequence, 0, position);
                for (int i = 0; i < width; i++) {
                    double value = expected[position * width + i];
                    error += Math.pow(latent[i] - value, 2);
                    size += value * value;
                }
            }
            double relative = Math.sqrt(error / size);
            System.getLogger("golden").log(System.Logger.Level.INFO, "FP8 activations, layer 0: latents " + relative);
            assertTrue(relative <= 0x1p-4, () -> "latents differ by " + relative);
            assertTrue(relative > 1e-3, () -> "FP8 cannot be this exact; is it in use? " + relative);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v3-fp8"})
    void threadsDoNotChangeABit(String name) {
        List<List<float[]>> byThreads = new ArrayList<>();
        for (int threads = 1; threads <= 4; threads++) {
            try (GoldenModel model = new GoldenModel(name, CacheFormat.BF16, Evaluation.CHEAPEST, threads)) {
                int[] ids = model.goldenInts("input_ids");
                Trace trace = model.newTrace();
                model.append(model.open(), ids, 200);
                byThreads.add(trace.logits);
            }
        }
        for (int threads = 2; threads <= 4; threads++) {
            for (int row = 0; row < byThreads.getFirst().size(); row++) {
                assertArrayEquals(
                        byThreads.getFirst().get(row),
                        byThreads.get(threads - 1).get(row),
                        threads + " threads, row " + row);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v3-fp8"})
    void companyDoesNotChangeABit(String name) {
        try (GoldenModel model = new GoldenModel(name, CacheFormat.BF16, Evaluation.CHEAPEST, 2)) {
            int[] ids = model.goldenInts("input_ids");
            List<CachePool.Sequence> alone = new ArrayList<>();
            List<CachePool.Sequence> together = new ArrayList<>();
            List<int[]> steps = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                int[] past = Arrays.copyOfRange(ids, 0, 3 + 11 * i);
                for (List<CachePool.Sequence> group : List.of(alone, together)) {
                    CachePool.Sequence sequence = model.open();
                    model.append(sequence, past, 512);
                    group.add(sequence);
                }
                steps.add(Arrays.copyOfRange(ids, past.length, past.length + 1 + i % 3));
            }
            List<float[]> expected = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                expected.addAll(model.stepTogether(alone.subList(i, i + 1), steps.subList(i, i + 1)));
            }
            List<float[]> actual = model.stepTogether(together, steps);
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(expected.get(i), actual.get(i), "sequence " + i);
            }
        }
    }
}
