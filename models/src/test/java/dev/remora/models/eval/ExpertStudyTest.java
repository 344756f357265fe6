package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ExpertStudyTest {
    private static final ExpertStudy STUDY = new ExpertStudy();
    private static final LabelledCorpus CORPUS = LabelledCorpus.bundled().first(60);

    private static Llm llm;
    private static ExpertUse use;

    @BeforeAll
    static void run() {
        llm = Llm.bundled(LoadOptions.defaults().withThreads(2).withListener(STUDY));
        List<Integer> progress = new ArrayList<>();
        use = STUDY.run(llm, CORPUS, RouterPolicy.EXACT, progress::add);
        assertEquals(60, progress.size());
        assertEquals(60, progress.getLast());
    }

    @AfterAll
    static void close() {
        llm.close();
    }

    @Test
    void everyTokenMeetsFourExpertsOfEachLayer() {
        int tokens = CORPUS.texts().stream()
                .mapToInt(text -> RenderedText.of(llm, text).ids().length)
                .sum();
        assertEquals(tokens, use.tokens());
        assertEquals(List.of(1, 2, 3, 4), use.layers());
        assertEquals(16, use.experts());
        for (int layer : use.layers()) {
            assertEquals(4L * tokens, Arrays.stream(use.load(layer)).sum());
            assertEquals(4, use.expertsPerToken(layer));
        }
        assertEquals(new ExpertUse.Events(0, 0), use.events());
        assertEquals("exact", use.policy());
    }

    @Test
    void labelsRollUpTheTree() {
        SequencedMap<String, Long> tokens = use.tokensByLabel();
        SequencedMap<String, long[]> load = use.loadByLabel(1);
        assertEquals(List.copyOf(tokens.keySet()), List.copyOf(load.keySet()));
        for (Map.Entry<String, long[]> label : load.entrySet()) {
            assertEquals(
                    4 * tokens.get(label.getKey()),
                    Arrays.stream(label.getValue()).sum());
        }
        long[] sum = new long[16];
        for (String leaf : List.of("translation.french", "translation.german")) {
            Arrays.setAll(sum, i -> sum[i] + load.get(leaf)[i]);
        }
        assertArrayEquals(sum, load.get("translation"));
    }

    @Test
    void expertsTellAboutLabels() {
        Information roots = use.information(1, 0);
        Information leaves = use.information(1, 2);
        assertTrue(roots.bits() > roots.shuffled() && roots.p() < 0.05, roots.toString());
        assertTrue(leaves.bits() > roots.bits(), "finer labels cannot tell less");
        assertTrue(leaves.labelEntropy() > roots.labelEntropy());
    }

    @Test
    void tellingTokensAreSortedAndCounted() {
        List<List<TellingToken>> telling = use.telling(2, 3, 5);
        assertEquals(16, telling.size());
        for (List<TellingToken> tokens : telling) {
            assertTrue(tokens.size() <= 3);
            for (int i = 0; i < tokens.size(); i++) {
                TellingToken token = tokens.get(i);
                assertTrue(token.pmi() > 0 && token.count() >= 5 && token.count() <= token.total(), token.toString());
                assertTrue(i == 0 || tokens.get(i - 1).pmi() >= token.pmi());
                assertTrue(token.id() > 2, "no special token: " + token);
            }
        }
        assertTrue(telling.stream().anyMatch(tokens -> !tokens.isEmpty()));
    }

    @Test
    void aSmallerKIsSeenAndTheModelHasItsPolicyBack() {
        ExpertUse fewer = STUDY.run(llm, CORPUS.first(5), RouterPolicy.parse("topk:2"), done -> {});
        assertEquals(RouterPolicy.EXACT, llm.policy());
        assertEquals("topk:2", fewer.policy());
        assertEquals(2, fewer.expertsPerToken(3));
    }

    @Test
    void theProfileHoldsAllLoads() {
        Map<String, Object> profile = use.profile("tiny");
        assertEquals("tiny", profile.get("model"));
        assertTrue(profile.get("layers") instanceof Map<?, ?> layers
                && layers.size() == 4
                && layers.get("1").equals(Arrays.stream(use.load(1)).boxed().toList()));
    }

    @Test
    void longTextsAreCut() {
        LabelledCorpus text = LabelledCorpus.ofText("long", "Once upon a time. ".repeat(400));
        ExpertUse of = STUDY.run(llm, text, RouterPolicy.EXACT, done -> {});
        assertTrue(of.tokens() > llm.info().contextLength(), "tokens: " + of.tokens());
        assertEquals(0, of.information(1, 0).labelEntropy());
    }

    @Test
    void cancellingEndsTheRun() {
        assertThrows(
                CancellationException.class, () -> STUDY.run(llm, CORPUS, RouterPolicy.EXACT, done -> STUDY.cancel()));
    }
}
