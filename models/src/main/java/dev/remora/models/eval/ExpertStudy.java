package dev.remora.models.eval;

import dev.remora.core.Batch;
import dev.remora.models.EngineListener;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.Session;
import dev.remora.moe.ExpertCounters;
import dev.remora.moe.Routing;
import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.IntConsumer;

/**
 * Records which experts the tokens of some texts meet. The model must be loaded with this as its listener, and nothing else
 * may run on it meanwhile.
 *
 * <pre>{@code
 * ExpertStudy study = new ExpertStudy();
 * try (Llm llm = Llm.bundled(LoadOptions.defaults().withListener(study))) {
 *     ExpertUse use = study.run(llm, LabelledCorpus.bundled(), RouterPolicy.EXACT, done -> {});
 *     System.out.println(use.information(use.layers().getFirst(), 0).bits());
 * }
 * }</pre>
 */
public final class ExpertStudy implements EngineListener {
    private final Object lock = new Object();
    private ChoiceLog log;
    private ExpertCounters counters;
    private Session session;
    private boolean cancelled;

    /** A study that has not begun; {@link #run} may be called any number of times. */
    public ExpertStudy() {}

    @Override
    public void routed(int layer, Batch batch, Routing routing) {
        synchronized (lock) {
            if (log != null) {
                log.add(layer, batch, routing);
            }
        }
    }

    @Override
    public void experts(ExpertCounters all) {
        synchronized (lock) {
            counters = all;
        }
    }

    /**
     * Runs all texts through the model. A text that is longer than the context is cut into parts. If the policy acts on
     * decoding, token after token is run by itself, as when generating; else each text at once.
     *
     * @param policy   in force while the texts run; the model has its former one afterwards
     * @param progress told how many texts are done, by this thread
     * @throws IllegalArgumentException if the model has no routed experts, or cannot follow the policy
     * @throws CancellationException if {@link #cancel} was called meanwhile
     * @throws dev.remora.core.CheckpointException if the model has no tokenizer
     */
    public ExpertUse run(Llm llm, LabelledCorpus corpus, RouterPolicy policy, IntConsumer progress) {
        RouterPolicy before = llm.policy();
        llm.policy(policy);
        ChoiceLog recorded = new ChoiceLog();
        try (Session opened = llm.session()) {
            synchronized (lock) {
                log = recorded;
                session = opened;
                cancelled = false;
            }
            long overflow = total(true);
            long fallbacks = total(false);
            List<LabelledText> texts = corpus.texts();
            for (int i = 0; i < texts.size(); i++) {
                recorded.text(i);
                int[] ids = RenderedText.of(llm, texts.get(i)).ids();
                for (int from = 0; from < ids.length; from += opened.contextLength()) {
                    int to = Math.min(ids.length, from + opened.contextLength());
                    read(opened, Arrays.copyOfRange(ids, from, to), policy.actsOnDecoding());
                }
                progress.accept(i + 1);
            }
            if (recorded.tokens() > 0 && recorded.layers().isEmpty()) {
                throw new IllegalArgumentException(
                        "model: expected one with routed experts, loaded with this study as its listener, found "
                                + llm.info().source());
            }
            return new ExpertUse(
                    corpus,
                    policy.toString(),
                    recorded,
                    llm.tokenizer(),
                    experts(),
                    new ExpertUse.Events(total(true) - overflow, total(false) - fallbacks));
        } finally {
            synchronized (lock) {
                log = null;
                session = null;
            }
            llm.policy(before);
        }
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

    private void read(Session opened, int[] ids, boolean oneByOne) {
        opened.truncate(0);
        GenerationOptions silent = GenerationOptions.greedy().withMaxTokens(0);
        int step = oneByOne ? 1 : ids.length;
        for (int from = 0; from < ids.length; from += step) {
            opened.generate(Arrays.copyOfRange(ids, from, from + step), silent).text();
            synchronized (lock) {
                if (cancelled) {
                    throw new CancellationException("cancelled");
                }
            }
        }
    }

    private int experts() {
        synchronized (lock) {
            return counters.experts();
        }
    }

    private long total(boolean ofOverflow) {
        synchronized (lock) {
            if (counters == null) {
                return 0;
            }
            if (ofOverflow) {
                return counters.overflow();
            }
            long sum = 0;
            for (Fallback.Step step : Fallback.Step.values()) {
                sum += counters.fallback(step);
            }
            return sum;
        }
    }
}
