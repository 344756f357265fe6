package dev.remora.models.eval;

import dev.remora.core.Batch;
import dev.remora.models.EngineListener;
import dev.remora.models.Llm;
import dev.remora.models.Session;
import dev.remora.models.eval.PolicyResult.Reading;
import dev.remora.models.eval.TextReader.Use;
import dev.remora.moe.ExpertCounters;
import dev.remora.moe.Routing;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.ObjIntConsumer;

/**
 * Measures what policies do to a model's answers, with the exact router as the yardstick. The model must be loaded with
 * this as its listener, and nothing else may run on it meanwhile.
 *
 * <pre>{@code
 * Evaluation evaluation = new Evaluation();
 * try (Llm llm = Llm.bundled(LoadOptions.defaults().withListener(evaluation))) {
 *     List<RouterPolicy> policies = List.of(RouterPolicy.parse("topk:3"));
 *     for (PolicyResult result : evaluation.run(llm, LabelledCorpus.bundled(), policies, (policy, done) -> {})) {
 *         System.out.println(result.policy() + ": " + result.all().accuracy() + ", KL " + result.all().kl());
 *     }
 * }
 * }</pre>
 *
 * <p>Texts are read one by one in one session, because a policy may look at whatever else is in a step. Qualities are the
 * same every time, but for policies that look at time or at what is in memory.
 */
public final class Evaluation implements EngineListener {
    /** Of the texts, one in so many is read before, so that no policy pays for the first use of code or of experts. */
    private static final int WARM_UP_SHARE = 10;

    private static final int WARM_UP_TEXTS = 16;

    private final Object lock = new Object();
    private ExpertCounters counters;
    private StepMeter meter;
    private Session session;
    private boolean cancelled;

    /** One for each model. */
    public Evaluation() {}

    @Override
    public void prefill(int position, int tokens, long nanos) {
        step(false, tokens, nanos);
    }

    @Override
    public void token(int position, long nanos) {
        step(true, 1, nanos);
    }

    private void step(boolean decoded, int tokens, long nanos) {
        synchronized (lock) {
            if (meter != null) {
                meter.step(decoded, tokens, nanos);
            }
        }
    }

    @Override
    public void routed(int layer, Batch batch, Routing routing) {
        synchronized (lock) {
            if (meter != null) {
                meter.routed(batch, routing);
            }
        }
    }

    @Override
    public void experts(ExpertCounters all) {
        synchronized (lock) {
            counters = all;
            if (meter != null) {
                meter.experts(all);
            }
        }
    }

    /**
     * Asks all questions under each policy. Policies that act on decoding are measured with answers decoded token by token,
     * those for prompts alone with answers read in one go, each beside the exact router in the same way.
     *
     * @param policies none: the exact router alone
     * @param progress told the policy and how many texts are done, by this thread
     * @return those of decoding, the exact router's first, then those of prompts, the exact router's first
     * @throws IllegalArgumentException if the model cannot follow a policy
     * @throws dev.remora.core.ContextOverflowException if a text is longer than the context
     * @throws CancellationException if {@link #cancel} was called meanwhile
     * @throws dev.remora.core.CheckpointException if the model has no tokenizer
     */
    public List<PolicyResult> run(
            Llm llm, LabelledCorpus corpus, List<RouterPolicy> policies, ObjIntConsumer<RouterPolicy> progress) {
        RouterPolicy before = llm.policy();
        try (Session opened = llm.session()) {
            synchronized (lock) {
                session = opened;
                cancelled = false;
            }
            // A policy that the model cannot follow should not show after minutes.
            policies.forEach(llm::policy);
            List<Question> questions = Question.of(llm, corpus);
            List<PolicyResult> results = new ArrayList<>();
            for (Reading reading : Reading.values()) {
                Set<RouterPolicy> others = new LinkedHashSet<>(policies);
                others.removeIf(policy -> policy.isExact() || reading(policy) != reading);
                boolean exactWanted = reading == Reading.DECODED
                        && (policies.isEmpty() || policies.stream().anyMatch(RouterPolicy::isExact));
                if (exactWanted || !others.isEmpty()) {
                    Pass pass = new Pass(llm, opened, corpus, questions, reading, progress);
                    pass.run(others, results);
                }
            }
            return results;
        } finally {
            synchronized (lock) {
                meter = null;
                session = null;
            }
            llm.policy(before);
        }
    }

    private static Reading reading(RouterPolicy policy) {
        return policy.actsOnDecoding() || policy.isExact() ? Reading.DECODED : Reading.PROMPT;
    }

    /** Ends the run that is going on, with a {@link CancellationException}. From any thread. */
    public void cancel() {
        synchronized (lock) {
            cancelled = true;
            if (session != null) {
                session.cancel();
            }
        }
    }

    private void checkCancelled() {
        synchronized (lock) {
            if (cancelled) {
                throw new CancellationException("cancelled");
            }
        }
    }

    private StepMeter newMeter(Reading reading) {
        synchronized (lock) {
            meter = new StepMeter(reading, counters);
            return meter;
        }
    }

    /** All policies that are measured in the same way. */
    private final class Pass {
        private final Llm llm;
        private final Session opened;
        private final LabelledCorpus corpus;
        private final List<Question> questions;
        private final Reading reading;
        private final ObjIntConsumer<RouterPolicy> progress;

        Pass(
                Llm llm,
                Session opened,
                LabelledCorpus corpus,
                List<Question> questions,
                Reading reading,
                ObjIntConsumer<RouterPolicy> progress) {
            this.llm = llm;
            this.opened = opened;
            this.corpus = corpus;
            this.questions = questions;
            this.reading = reading;
            this.progress = progress;
        }

        void run(Set<RouterPolicy> others, List<PolicyResult> results) {
            try (Yardstick yardstick = new Yardstick(llm.info().vocabSize())) {
                TextReader reader = new TextReader(llm, opened, reading, yardstick, Evaluation.this::checkCancelled);
                results.add(run(RouterPolicy.EXACT, reader, others.isEmpty() ? Use.NOTHING : Use.WRITE));
                for (RouterPolicy policy : others) {
                    yardstick.rewind();
                    results.add(run(policy, reader, Use.COMPARE));
                }
            }
        }

        private PolicyResult run(RouterPolicy policy, TextReader reader, Use use) {
            llm.policy(policy);
            StepMeter steps = newMeter(reading);
            int warmUp = Math.min(WARM_UP_TEXTS, questions.size() / WARM_UP_SHARE);
            for (int i = 0; i < warmUp; i++) {
                reader.read(i, questions.get(i), Use.NOTHING);
            }
            steps.start();
            Map<String, Quality> byLabel = new LinkedHashMap<>();
            for (int i = 0; i < questions.size(); i++) {
                checkCancelled();
                Quality quality = reader.read(i, questions.get(i), use);
                byLabel.merge(questions.get(i).text().label(), quality, Quality::plus);
                progress.accept(policy, i + 1);
            }
            return new PolicyResult(
                    policy,
                    reading,
                    byLabel.values().stream().reduce(Quality.NONE, Quality::plus),
                    corpus.ontology().rollUp(byLabel, Quality::plus),
                    steps.cost());
        }
    }
}
