package dev.remora.core.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final SamplingParams SEEDED = SamplingParams.defaults().withSeed(7);

    private static float[] randomLogits(Random random, int vocab) {
        float[] logits = new float[vocab];
        for (int i = 0; i < vocab; i++) {
            // Rounded to eighths: ties are common.
            logits[i] = Math.round(random.nextGaussian() * 24) / 8f;
        }
        return logits;
    }

    private static List<Integer> draw(SamplingParams params, float[] logits, int n) {
        Sampler sampler = new Sampler(params, logits.length);
        return IntStream.range(0, n).mapToObj(i -> sampler.sample(logits)).toList();
    }

    @Test
    void agreesWithTheReferenceOnRandomParameters() {
        Random random = new Random(42);
        for (int trial = 0; trial < 3000; trial++) {
            int vocab = 1 + random.nextInt(90);
            SamplingParams params = new SamplingParams(
                    random.nextInt(4) == 0 ? 0 : 0.1f + 2 * random.nextFloat(),
                    random.nextBoolean() ? 0 : random.nextInt(vocab + 5),
                    random.nextBoolean() ? 1 : 0.01f + 0.98f * random.nextFloat(),
                    random.nextBoolean() ? 0 : random.nextFloat(),
                    random.nextBoolean() ? 1 : 0.5f + 1.5f * random.nextFloat(),
                    random.nextBoolean() ? 0 : random.nextFloat() * 4 - 2,
                    random.nextBoolean() ? 0 : random.nextFloat() * 4 - 2,
                    random.nextBoolean() ? Map.of() : Map.of(random.nextInt(vocab), random.nextFloat() * 20 - 10),
                    random.nextLong());
            ReferenceSampler reference = new ReferenceSampler(params);
            Sampler sampler = new Sampler(params, vocab);
            int[] prompt = random.ints(5, 0, vocab).toArray();
            reference.observe(Arrays.copyOfRange(prompt, 1, 4));
            sampler.observe(prompt, 1, 3);
            for (int step = 0; step < 12; step++) {
                float[] logits = randomLogits(random, vocab);
                float[] before = logits.clone();
                int expected = reference.sample(logits);
                assertEquals(expected, sampler.sample(logits), () -> "trial with " + params + " of " + vocab);
                assertArrayEquals(before, logits, "the logits are the caller's");
                double normaliser = LogSoftmax.logSumExp(logits, 0, vocab);
                assertEquals((float) (logits[expected] - normaliser), sampler.logProbability());
            }
        }
    }

    @Test
    void drawsInProportion() {
        float[] logits = {(float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.2)};
        int n = 200_000;
        for (SamplingParams params : List.of(SEEDED, SEEDED.withTopK(2), SEEDED.withTopP(0.99f))) {
            ReferenceSampler reference = new ReferenceSampler(params);
            List<Integer> drawn = draw(params, logits, n);
            for (ReferenceSampler.Candidate c : reference.survivors(logits)) {
                double count = drawn.stream().filter(id -> id == c.id()).count();
                // Five standard deviations of a binomial.
                double deviation = 5 * Math.sqrt(n * c.probability() * (1 - c.probability()));
                assertEquals(n * c.probability(), count, deviation, () -> params + " id " + c.id());
            }
        }
    }

    @Test
    void sameSeedSameIds() {
        float[] logits = randomLogits(new Random(1), 500);
        assertEquals(draw(SEEDED, logits, 100), draw(SEEDED, logits, 100));
        assertNotEquals(draw(SEEDED, logits, 100), draw(SEEDED.withSeed(8), logits, 100));
        // Fixed for all time: the same seed gives the same text on every JDK and in every release.
        assertEquals(List.of(3, 0, 7, 4, 3, 1, 3, 2), draw(SEEDED, new float[8], 8));
    }

    @Test
    void generatorIsSplitMix64() {
        SplitMix64 random = new SplitMix64(1234567);
        assertEquals(6457827717110365317L, random.nextLong());
        assertEquals(3203168211198807973L, random.nextLong());
        assertEquals(Long.parseUnsignedLong("9817491932198370423"), random.nextLong());
        assertEquals(4593380528125082431L, random.nextLong());
        assertEquals(Long.parseUnsignedLong("16408922859458223821"), random.nextLong());
    }

    @Test
    void randomSeedIsDrawnAndReported() {
        Sampler sampler = new Sampler(SamplingParams.defaults(), 500);
        assertNotEquals(SamplingParams.RANDOM_SEED, sampler.params().seed());
        float[] logits = new float[500];
        List<Integer> first =
                IntStream.range(0, 50).mapToObj(i -> sampler.sample(logits)).toList();
        assertEquals(first, draw(sampler.params(), logits, 50));
    }

    @Test
    void greedyTakesTheLowestIdAmongEquals() {
        assertEquals(List.of(1), draw(SamplingParams.greedy(), new float[] {0, 3, 3, 1}, 1));
        assertEquals(List.of(0), draw(SamplingParams.greedy(), new float[] {-0f, 0f}, 1));
    }

    @Test
    void topKKeepsExactlyKAndTheLowerIdAmongEquals() {
        float[] logits = {1, 2, 2, 2, 0};
        assertEquals(
                List.of(1, 2),
                draw(SEEDED.withTopK(2), logits, 500).stream()
                        .distinct()
                        .sorted()
                        .toList());
        assertEquals(
                List.of(1),
                draw(SEEDED.withTopK(1), logits, 50).stream().distinct().toList());
        float[] zeros = {-0f, 0f, -1};
        assertEquals(
                List.of(0),
                draw(SEEDED.withTopK(1), zeros, 50).stream().distinct().toList());
    }

    @Test
    void topKBeyondTheVocabularyIsOff() {
        float[] logits = randomLogits(new Random(3), 40);
        assertEquals(draw(SEEDED, logits, 100), draw(SEEDED.withTopK(40), logits, 100));
        assertEquals(draw(SEEDED, logits, 100), draw(SEEDED.withTopK(1_000_000), logits, 100));
    }

    @Test
    void topPKeepsTheFewestThatReachIt() {
        float[] equal = new float[4];
        assertEquals(
                List.of(0, 1),
                draw(SEEDED.withTopP(0.5f), equal, 500).stream()
                        .distinct()
                        .sorted()
                        .toList());
        assertEquals(
                List.of(0, 1, 2),
                draw(SEEDED.withTopP(0.51f), equal, 500).stream()
                        .distinct()
                        .sorted()
                        .toList());
        assertEquals(
                List.of(0),
                draw(SEEDED.withTopP(1e-9f), equal, 50).stream().distinct().toList());
    }

    @Test
    void minPComparesWithTheMostProbable() {
        float[] logits = {0, (float) Math.log(0.5), (float) Math.log(0.24)};
        assertEquals(
                List.of(0, 1),
                draw(SEEDED.withMinP(0.25f), logits, 500).stream()
                        .distinct()
                        .sorted()
                        .toList());
        assertEquals(
                List.of(0),
                draw(SEEDED.withMinP(1), logits, 50).stream().distinct().toList());
    }

    @Test
    void allMassOnOneToken() {
        float[] logits = new float[300];
        Arrays.fill(logits, -1e30f);
        logits[123] = 1e30f;
        for (SamplingParams p : List.of(SEEDED, SEEDED.withTopK(5), SEEDED.withTopP(0.9f), SEEDED.withMinP(0.1f))) {
            assertEquals(List.of(123), draw(p, logits, 50).stream().distinct().toList(), p::toString);
        }
        Sampler sampler = new Sampler(SEEDED, 300);
        assertEquals(123, sampler.sample(logits));
        assertEquals(0, sampler.logProbability());
    }

    @Test
    void tinyTemperatureIsGreedy() {
        float[] logits = {1, 1.5f, 1.25f};
        assertEquals(
                List.of(1),
                draw(SEEDED.withTemperature(Float.MIN_VALUE), logits, 50).stream()
                        .distinct()
                        .toList());
    }

    @Test
    void biasForbidsAndForces() {
        float[] logits = {5, 1, 0};
        SamplingParams forbids = SamplingParams.greedy().withLogitBias(Map.of(0, Float.NEGATIVE_INFINITY));
        assertEquals(List.of(1), draw(forbids, logits, 1));
        assertEquals(List.of(2), draw(SamplingParams.greedy().withLogitBias(Map.of(2, 100f)), logits, 1));
        SamplingParams nothing = SEEDED.withLogitBias(Map.of(0, Float.NEGATIVE_INFINITY));
        RemoraException e = assertThrows(RemoraException.class, () -> draw(nothing, new float[1], 1));
        assertTrue(e.getMessage().startsWith("logitBias: expected at least one token"), e.getMessage());
        SamplingParams beyond = SEEDED.withLogitBias(Map.of(3, 1f));
        assertEquals(
                "logitBias: expected token ids from 0 to 2, found 3",
                assertThrows(IllegalArgumentException.class, () -> new Sampler(beyond, 3))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void refusesLogitsThatAreNotFinite(float bad) {
        float[] logits = {0, 1, bad, 2};
        for (SamplingParams params : List.of(SEEDED, SamplingParams.greedy(), SEEDED.withTopK(2))) {
            RemoraException e = assertThrows(RemoraException.class, () -> draw(params, logits, 1));
            assertTrue(e.getMessage().startsWith("logits: expected finite numbers, found " + bad + " for token 2"));
        }
    }

    @Test
    void observedIdsMustBeInTheVocabulary() {
        Sampler sampler = new Sampler(SEEDED.withRepetitionPenalty(1.5f), 3);
        assertThrows(IndexOutOfBoundsException.class, () -> sampler.observe(new int[] {3}, 0, 1));
    }

    @Test
    void logSumExpSurvivesLargeLogits() {
        assertEquals(1000 + Math.log(2), LogSoftmax.logSumExp(new float[] {9, 1000, 1000, 9}, 1, 3));
        assertEquals(-1000 + Math.log(2), LogSoftmax.logSumExp(new float[] {-1000, -1000}, 0, 2));
    }

    @Test
    void parametersNameTheOptionTheRangeAndTheValue() {
        SamplingParams p = SamplingParams.defaults();
        refused("temperature: expected 0 or more, found -1.0", () -> p.withTemperature(-1));
        refused("temperature: expected 0 or more, found NaN", () -> p.withTemperature(Float.NaN));
        refused("topK: expected 0 (all tokens) or more, found -1", () -> p.withTopK(-1));
        refused("topP: expected more than 0, at most 1, found 0.0", () -> p.withTopP(0));
        refused("topP: expected more than 0, at most 1, found 1.5", () -> p.withTopP(1.5f));
        refused("minP: expected 0 to 1, found -0.1", () -> p.withMinP(-0.1f));
        refused("repetitionPenalty: expected 0.1 to 10, found 0.0", () -> p.withRepetitionPenalty(0));
        refused("frequencyPenalty: expected -2 to 2, found 3.0", () -> p.withFrequencyPenalty(3));
        refused("presencePenalty: expected -2 to 2, found NaN", () -> p.withPresencePenalty(Float.NaN));
        refused("logitBias: expected token ids of 0 or more, found -4", () -> p.withLogitBias(Map.of(-4, 1f)));
        refused(
                "logitBias of token 4: expected -100 to 100, or minus infinity to forbid the token, found 101.0",
                () -> p.withLogitBias(Map.of(4, 101f)));
    }

    private static void refused(String message, org.junit.jupiter.api.function.Executable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
    }
}
