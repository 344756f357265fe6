package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.ContextOverflowException;
import dev.remora.core.sampling.LogSoftmax;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.models.Session;
import dev.remora.models.eval.PolicyResult.Reading;
import dev.remora.moe.ExpertMemory;
import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class EvaluationTest {
    private static final Evaluation EVALUATION = new Evaluation();
    private static final LabelledCorpus CORPUS = LabelledCorpus.bundled().first(14);
    private static final RouterPolicy TWO = RouterPolicy.parse("topk:2");
    private static final RouterPolicy FULL = RouterPolicy.parse("capacity:1");

    private static Llm llm;
    private static List<PolicyResult> results;

    @BeforeAll
    static void run() {
        llm = Llm.bundled(LoadOptions.defaults().withThreads(2).withListener(EVALUATION));
        List<String> progress = new ArrayList<>();
        results = EVALUATION.run(
                llm,
                CORPUS,
                List.of(FULL, TWO, RouterPolicy.EXACT, RouterPolicy.parse("topk:4"), TWO),
                (policy, done) -> progress.add(policy + " " + done));
        assertEquals(5 * 14, progress.size());
        assertEquals("exact 1", progress.getFirst());
        assertEquals("capacity:1.0 14", progress.getLast());
    }

    @AfterAll
    static void close() {
        llm.close();
    }

    @Test
    void theExactRouterComesFirstInEachWayOfReading() {
        assertEquals(
                List.of("exact DECODED", "topk:2 DECODED", "topk:4 DECODED", "exact PROMPT", "capacity:1.0 PROMPT"),
                results.stream().map(r -> r.policy() + " " + r.reading()).toList());
        assertEquals(RouterPolicy.EXACT, llm.policy());
    }

    @Test
    void thePolicyThatChangesNothingChangesNothing() {
        Quality exact = results.get(0).all();
        Quality same = results.get(2).all();
        assertEquals(exact, same, "every bit, so no divergence and full agreement");
        assertEquals(0, same.divergence());
        assertEquals(same.tokens(), same.agreeing());
        assertEquals(results.get(0).byLabel(), results.get(2).byLabel());
    }

    /** What greedy generation by itself answers, question by question. */
    @Test
    void answersAreThoseOfGreedyGeneration() {
        for (PolicyResult result : List.of(results.get(0), results.get(1), results.get(4))) {
            llm.policy(result.policy());
            int matching = 0;
            int right = 0;
            try (Session session = llm.session()) {
                for (LabelledText text : CORPUS.texts()) {
                    if (text.question().isPresent()) {
                        session.truncate(0);
                        GenerationOptions greedy = GenerationOptions.greedy().withMaxTokens(200);
                        int[] prompt = RenderedText.of(llm, text).prompt();
                        boolean matches =
                                text.matches(session.generate(prompt, greedy).text());
                        matching += matches ? 1 : 0;
                        right += matches && CORPUS.ontology().judgedExactly(text) ? 1 : 0;
                    }
                }
            } finally {
                llm.policy(RouterPolicy.EXACT);
            }
            assertEquals(matching, result.all().matching(), result.policy().toString());
            assertEquals(right, result.all().right(), result.policy().toString());
            assertTrue(right > 0 && result.all().judged() > right, "some right, some wrong");
        }
    }

    /** The definitions, in the simplest way: one text, token by token, twice. */
    @Test
    void perplexityAndDivergenceAreTheDefinitions() {
        LabelledCorpus one = new LabelledCorpus(
                "one", CORPUS.ontology(), List.of(CORPUS.texts().get(1)));
        RenderedText rendered = RenderedText.of(llm, one.texts().getFirst());
        double surprise = 0;
        double divergence = 0;
        int agreeing = 0;
        try (Session exact = llm.session();
                Session policy = llm.session()) {
            float[] p = new float[llm.info().vocabSize()];
            float[] q = new float[p.length];
            exact.read(rendered.prompt(), p);
            policy.read(rendered.prompt(), q);
            for (int id : rendered.answer()) {
                double logQ = LogSoftmax.logSumExp(q, 0, q.length);
                double logP = LogSoftmax.logSumExp(p, 0, p.length);
                surprise += logQ - q[id];
                int bestOfP = 0;
                int bestOfQ = 0;
                for (int i = 0; i < p.length; i++) {
                    divergence += Math.exp(p[i] - logP) * (p[i] - logP - q[i] + logQ);
                    bestOfP = p[i] > p[bestOfP] ? i : bestOfP;
                    bestOfQ = q[i] > q[bestOfQ] ? i : bestOfQ;
                }
                agreeing += bestOfP == bestOfQ ? 1 : 0;
                exact.read(new int[] {id}, p);
                llm.policy(TWO);
                policy.read(new int[] {id}, q);
                llm.policy(RouterPolicy.EXACT);
            }
        }
        PolicyResult result =
                EVALUATION.run(llm, one, List.of(TWO), (policy, done) -> {}).getLast();
        int tokens = rendered.answer().length;
        assertEquals(tokens, result.all().tokens());
        assertEquals(Math.exp(surprise / tokens), result.all().perplexity(), 1e-9);
        assertEquals(divergence / tokens, result.all().kl(), 1e-9);
        assertTrue(result.all().kl() > 0);
        assertEquals(agreeing, result.all().agreeing());
    }

    @Test
    void promptsAreScoredInOneGo() {
        double surprise = 0;
        llm.policy(FULL);
        try (Session session = llm.session()) {
            for (LabelledText text : CORPUS.texts()) {
                RenderedText rendered = RenderedText.of(llm, text);
                var logProbabilities = session.score(rendered.ids()).logProbabilities();
                for (float logP : logProbabilities.subList(rendered.prompt().length - 1, logProbabilities.size())) {
                    surprise -= logP;
                }
            }
        } finally {
            llm.policy(RouterPolicy.EXACT);
        }
        PolicyResult full = results.get(4);
        assertEquals(surprise, full.all().surprise(), 1e-4, "rounded to f32 there");
        assertTrue(full.all().kl() > 0 && full.cost().overflow() > 0);
        assertEquals(0, results.get(3).cost().overflow());
    }

    @Test
    void labelsRollUpTheTree() {
        for (PolicyResult result : results) {
            Map<String, Quality> byLabel = result.byLabel();
            Quality roots =
                    byLabel.get("language").plus(byLabel.get("reasoning")).plus(byLabel.get("knowledge"));
            assertEquals(result.all().texts(), roots.texts());
            assertEquals(14, roots.texts());
            assertEquals(result.all().right(), roots.right());
            assertEquals(result.all().surprise(), roots.surprise(), 1e-9);
            assertEquals(result.all().kl() * result.all().tokens(), roots.divergence(), 1e-9);
        }
    }

    @Test
    void costsAreThoseOfTheStepsThatThePolicyActsOn() {
        PolicyResult exact = results.getFirst();
        PolicyResult two = results.get(1);
        assertEquals(4, exact.cost().expertsPerToken());
        assertEquals(2, two.cost().expertsPerToken());
        assertEquals(4 * exact.cost().tokens(), exact.cost().choices(), "four sparse layers");
        // All of an answer but its last token, after the prompt, and what else was generated.
        assertTrue(exact.cost().tokens() >= exact.all().tokens() - 14);
        int ids = CORPUS.texts().stream()
                .mapToInt(text -> RenderedText.of(llm, text).ids().length - 1)
                .sum();
        assertTrue(results.get(3).cost().tokens() >= ids);
        assertTrue(exact.cost().nanos() > 0);
        assertEquals(0, exact.cost().bytesRead());
        assertTrue(Double.isNaN(exact.cost().hitRate()));
    }

    @Test
    void expertsThatAreReadFromFilesAreCounted() {
        Evaluation evaluation = new Evaluation();
        LoadOptions half = LoadOptions.defaults()
                .withThreads(2)
                .withExpertMemory(ExpertMemory.ofShare(0.25))
                .withListener(evaluation);
        try (Llm small = Llm.bundled(half)) {
            RouterPolicy shared = RouterPolicy.parse("fallback:deadline=0ms,order=next/shared");
            List<PolicyResult> some = evaluation.run(small, CORPUS.first(6), List.of(shared), (policy, done) -> {});
            Quality exact = some.getFirst().all();
            Quality resident = EVALUATION
                    .run(llm, CORPUS.first(6), List.of(), (policy, done) -> {})
                    .getFirst()
                    .all();
            assertEquals(resident, exact, "the same bits, wherever the experts are");
            PolicyResult.Cost cost = some.getFirst().cost();
            assertTrue(cost.bytesRead() > 0, cost.toString());
            assertTrue(cost.hitRate() > 0 && cost.hitRate() < 1, cost.toString());
            assertEquals(0, cost.fallbacks().values().stream().mapToLong(x -> x).sum());
            PolicyResult late = some.getLast();
            assertTrue(late.cost().fallbacks().get(Fallback.Step.NEXT) > 0, late.toString());
            assertTrue(late.all().kl() > 0, late.toString());
        }
    }

    @Test
    void theSameEveryTime() {
        List<PolicyResult> again = EVALUATION.run(llm, CORPUS, List.of(TWO), (policy, done) -> {});
        assertEquals(results.get(1).all(), again.getLast().all());
        assertEquals(results.get(1).byLabel(), again.getLast().byLabel());
        assertEquals(results.get(1).cost().tokens(), again.getLast().cost().tokens());
    }

    @Test
    void aPromptPolicyAloneNeedsNoDecodedYardstick() {
        List<PolicyResult> only = EVALUATION.run(llm, CORPUS.first(1), List.of(FULL), (policy, done) -> {});
        assertEquals(
                List.of(Reading.PROMPT, Reading.PROMPT),
                only.stream().map(PolicyResult::reading).toList());
    }

    @Test
    void whatCannotBeIsRefusedBeforeAnythingRuns() {
        List<String> progress = new ArrayList<>();
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> EVALUATION.run(
                        llm,
                        CORPUS,
                        List.of(TWO, RouterPolicy.parse("topk:5")),
                        (policy, done) -> progress.add("done")));
        assertTrue(e.getMessage().contains("topk: expected at most num_experts_per_tok = 4"), e.getMessage());
        LabelledCorpus tooLong = LabelledCorpus.ofText("book", "Once upon a time. ".repeat(400));
        ContextOverflowException overflow = assertThrows(
                ContextOverflowException.class,
                () -> EVALUATION.run(llm, tooLong, List.of(), (policy, done) -> progress.add("done")));
        assertTrue(
                overflow.getMessage().startsWith("book: expected at most 1024 tokens, which the context holds, found"),
                overflow.getMessage());
        assertEquals(List.of(), progress);
        assertEquals(RouterPolicy.EXACT, llm.policy());
    }

    @Test
    void cancellingEndsTheRun() {
        assertThrows(
                CancellationException.class,
                () -> EVALUATION.run(llm, CORPUS, List.of(), (policy, done) -> EVALUATION.cancel()));
        assertEquals(RouterPolicy.EXACT, llm.policy());
    }

    @Test
    void aTextByItselfIsScoredAfterTheBeginning() {
        LabelledCorpus story = LabelledCorpus.ofText("tale", "One day, a girl named Zoe went to the barn.");
        Quality quality = EVALUATION
                .run(llm, story, List.of(), (policy, done) -> {})
                .getFirst()
                .all();
        int[] ids = RenderedText.of(llm, story.texts().getFirst()).ids();
        assertEquals(ids.length - 1, quality.tokens());
        assertEquals(0, quality.questions());
        try (Session session = llm.session()) {
            float[] logits = new float[llm.info().vocabSize()];
            double surprise = 0;
            for (int i = 0; i + 1 < ids.length; i++) {
                session.read(new int[] {ids[i]}, logits);
                surprise += LogSoftmax.logSumExp(logits, 0, logits.length) - logits[ids[i + 1]];
            }
            assertEquals(surprise, quality.surprise(), 1e-9);
            assertArrayEquals(Arrays.copyOf(ids, ids.length - 1), session.tokens());
        }
    }
}
