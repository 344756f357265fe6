package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.moe.policy.RouterPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Policies of the router through the public door, on the bundled model: 4 of 16 experts. */
class PolicyTest {
    private static final LoadOptions OPTIONS =
            LoadOptions.defaults().withThreads(2).withContextLength(1024);

    private static RouterPolicy policy(String text) {
        return RouterPolicy.parse(text);
    }

    @Test
    void promptsAreExactWhateverDecodingDoes() {
        // One more than two steps hold.
        int[] ids = new SplittableRandom(5).ints(513, 2, 1700).toArray();
        try (Llm llm = Llm.bundled(OPTIONS)) {
            List<float[]> exact = Logits.of(llm, ids);
            llm.policy(policy("topk:1+noise:0.5,seed=1+available:m=16,lambda=9,keep=0,loss=1+fallback"));
            assertSame(exact, Logits.of(llm, ids));
            llm.policy(policy("capacity:0.5"));
            assertNotEquals(0, Logits.difference(exact, Logits.of(llm, ids)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"topk:1", "mass:0.3", "noise:1,seed=4"})
    void decodingFollowsThePolicyAndIsReproducible(String text) {
        try (Llm llm = Llm.bundled(OPTIONS)) {
            List<float[]> exact = decode(llm);
            llm.policy(policy(text));
            assertEquals(policy(text), llm.policy());
            List<float[]> first = decode(llm);
            assertNotEquals(0, Logits.difference(exact, first));
            assertSame(first, decode(llm));
            llm.policy(RouterPolicy.EXACT);
            assertSame(exact, decode(llm));
            llm.policy(policy("topk:4"));
            assertSame(exact, decode(llm));
        }
    }

    @Test
    void theLoadedPolicyHoldsFromTheFirstStep() {
        try (Llm exact = Llm.bundled(OPTIONS);
                Llm two = Llm.bundled(OPTIONS.withPolicy(policy("topk:2")))) {
            assertEquals(policy("topk:2"), two.policy());
            assertEquals(RouterPolicy.EXACT, exact.policy());
            exact.policy(policy("topk:2"));
            assertSame(decode(exact), decode(two));
        }
    }

    @Test
    void aPolicyThatChangesMeanwhileIsFollowed() throws InterruptedException {
        try (Llm llm = Llm.bundled(OPTIONS)) {
            List<float[]> exact = decode(llm);
            Thread changing = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 2_000; i++) {
                    llm.policy(policy(i % 2 == 0 ? "topk:1+capacity:0.5" : "mass:0.5+noise:0.1"));
                }
                llm.policy(RouterPolicy.EXACT);
            });
            for (float[] row : decode(llm)) {
                for (float logit : row) {
                    assertTrue(Float.isFinite(logit));
                }
            }
            changing.join();
            assertSame(exact, decode(llm));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "topk:5, expected at most num_experts_per_tok = 4",
        "'mass:0.5,kmax=9', expected at most num_experts_per_tok = 4",
        "available:m=17, at most n_routed_experts = 16",
    })
    void whatTheModelCannotDoIsRefused(String text, String part) {
        IllegalArgumentException atLoad =
                assertThrows(IllegalArgumentException.class, () -> Llm.bundled(OPTIONS.withPolicy(policy(text))));
        assertTrue(atLoad.getMessage().contains(part), atLoad.getMessage());
        try (Llm llm = Llm.bundled(OPTIONS)) {
            IllegalArgumentException later =
                    assertThrows(IllegalArgumentException.class, () -> llm.policy(policy(text)));
            assertEquals(atLoad.getMessage(), later.getMessage());
            assertEquals(RouterPolicy.EXACT, llm.policy());
        }
    }

    @Test
    void aModelWithoutExpertsHasNoPolicy(@TempDir Path folder) {
        TestCheckpoint dense = TestCheckpoint.golden("v2-lite");
        // Its first layer alone, which is dense.
        dense.tensors.keySet().removeIf(name -> name.matches("model\\.layers\\.[1-9].*"));
        dense.config.put("num_hidden_layers", 1L);
        Path written = dense.write(folder.resolve("dense"), 1);
        LoadOptions options = LoadOptions.defaults().withThreads(1);
        String expected = "policy: expected exact, because the model has no routed experts, found topk:2";
        assertEquals(
                expected,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Llm.load(written, options.withPolicy(policy("topk:2"))))
                        .getMessage());
        try (Llm llm = Llm.load(written, options)) {
            assertEquals(
                    expected,
                    assertThrows(IllegalArgumentException.class, () -> llm.policy(policy("topk:2")))
                            .getMessage());
            llm.policy(RouterPolicy.EXACT);
            assertEquals(RouterPolicy.EXACT, llm.policy());
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 512, 1", "2, 512, 2", "512, 512, 512", "513, 512, 511", "514, 512, 512", "3, 2, 2", "4, 3, 2"})
    void noRowOfAPromptIsLeftAlone(int pending, int maxRows, int expected) {
        assertEquals(expected, Sequence.chunk(pending, maxRows));
    }

    /** Logits of tokens one by one, after a prompt. */
    private static List<float[]> decode(Llm llm) {
        VectorKernels.await();
        StepRunner runner = llm.runner();
        List<float[]> rows = new ArrayList<>();
        try (StepRunner.Slot slot = runner.open(64)) {
            int[] ids = new SplittableRandom(6).ints(24, 2, 1700).toArray();
            slot.append(ids, 0, 8, 0, new float[0]);
            for (int i = 8; i < ids.length; i++) {
                float[] logits = new float[runner.vocabSize()];
                slot.append(ids, i, 1, 1, logits);
                rows.add(logits);
            }
        }
        return rows;
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "row " + row);
        }
    }
}
