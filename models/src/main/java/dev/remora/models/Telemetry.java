package dev.remora.models;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import dev.remora.models.jfr.DivergenceEvent;
import dev.remora.models.jfr.ExpertLoadEvent;
import dev.remora.models.jfr.PolicyEvent;
import dev.remora.models.jfr.PrefillEvent;
import dev.remora.models.jfr.RoutingEvent;
import dev.remora.models.jfr.StepEvent;
import dev.remora.models.jfr.TokenEvent;
import dev.remora.models.transformer.StepClock;
import dev.remora.moe.ExpertCounters;
import dev.remora.moe.ExpertObserver;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.Routing;
import dev.remora.moe.RoutingListener;
import dev.remora.moe.RoutingObserver;
import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gathers what the parts of a model report, and tells it to counters, the listener and Flight Recorder. Whether anybody
 * listens is asked once a step; if nobody does, a step costs a few branches more. Nothing is allocated on the engine
 * thread.
 */
final class Telemetry implements RoutingListener, RoutingObserver, ExpertObserver {
    private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);

    private final Optional<ExpertCounters> counters;
    private final PrefillEvent prefillEvent = new PrefillEvent();
    private final TokenEvent tokenEvent = new TokenEvent();
    private final StepEvent stepEvent = new StepEvent();
    private final RoutingEvent routingEvent = new RoutingEvent();
    private final DivergenceEvent divergenceEvent = new DivergenceEvent();

    // What the store did since loading; its threads add to them.
    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong misses = new AtomicLong();
    private final AtomicLong bytesRead = new AtomicLong();

    // Of that, what the last routing event told.
    private long toldHits;
    private long toldMisses;
    private long toldBytes;

    private volatile EngineListener listener;
    private StepClock clock;
    private StepFigures figures;
    private Batch batch;
    private boolean listening;
    private boolean shadow;
    private long start;
    private long rows;
    private long chosen;
    private double bits;
    private long overflow;
    private long fallbacks;

    /**
     * @param layers   of the model
     * @param moe      its sparse layers; empty: there are none
     * @param listener told everything
     */
    Telemetry(int layers, Optional<MoeConfig> moe, EngineListener listener) {
        this.counters = moe.map(config -> new ExpertCounters(layers, config.nRoutedExperts()));
        this.listener = listener;
    }

    /** The model is ready. */
    void loaded(ModelInfo info, Duration took) {
        try {
            listener.loaded(info, took);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    /** A step begins. */
    void begin(Batch step, StepClock stepClock) {
        listening = !listener.equals(EngineListener.NONE)
                || stepEvent.isEnabled()
                || routingEvent.isEnabled()
                || prefillEvent.isEnabled()
                || tokenEvent.isEnabled();
        if (!listening) {
            stepClock.start(false);
            return;
        }
        if (clock != stepClock) {
            clock = stepClock;
            figures = new StepFigures(stepClock);
        }
        batch = step;
        rows = 0;
        chosen = 0;
        bits = 0;
        overflow = 0;
        fallbacks = 0;
        stepEvent.begin();
        routingEvent.begin();
        prefillEvent.begin();
        tokenEvent.begin();
        start = System.nanoTime();
        stepClock.start(true);
    }

    /** A step begins that nobody hears of: another way to run the one before or after it. */
    void beginShadow(StepClock stepClock) {
        listening = false;
        shadow = true;
        stepClock.start(false);
    }

    /** The silent step is done, or failed. */
    void endShadow() {
        shadow = false;
    }

    /** Experts found in memory since loading. */
    long hits() {
        return hits.get();
    }

    /** Experts not found in memory since loading. */
    long misses() {
        return misses.get();
    }

    /** Bytes read for experts since loading. */
    long bytesRead() {
        return bytesRead.get();
    }

    /** The step is done, its logits too. */
    void end(CachePool pool) {
        if (!listening) {
            return;
        }
        long nanos = System.nanoTime() - start;
        long pages = pool.pagesInUse();
        figures.set(batch.rows(), batch.segments(), nanos, pages, pages * pool.pageBytes());
        record();
        try {
            tell(nanos);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    private void tell(long nanos) {
        for (int segment = 0; segment < batch.segments(); segment++) {
            int first = batch.segmentStart(segment);
            int count = batch.segmentStart(segment + 1) - first;
            if (count == 1) {
                listener.token(batch.position(first), nanos);
            } else {
                listener.prefill(batch.position(first), count, nanos);
            }
        }
        listener.step(figures);
        if (counters.isPresent()) {
            listener.experts(counters.get());
        }
    }

    private void record() {
        for (int segment = 0; segment < batch.segments(); segment++) {
            int first = batch.segmentStart(segment);
            int count = batch.segmentStart(segment + 1) - first;
            if (count == 1) {
                tokenEvent.position = batch.position(first);
                tokenEvent.commit();
            } else {
                prefillEvent.position = batch.position(first);
                prefillEvent.tokens = count;
                prefillEvent.commit();
            }
        }
        if (stepEvent.shouldCommit()) {
            stepEvent.rows = figures.rows();
            stepEvent.sequences = figures.sequences();
            stepEvent.attention = figures.attentionNanos();
            stepEvent.router = figures.routerNanos();
            stepEvent.feedForward = figures.feedForwardNanos();
            stepEvent.head = figures.headNanos();
            stepEvent.other = figures.otherNanos();
            stepEvent.cachePages = figures.cachePages();
            stepEvent.cacheBytes = figures.cacheBytes();
            stepEvent.commit();
        }
        if (counters.isPresent() && routingEvent.shouldCommit()) {
            routingEvent.rows = rows;
            routingEvent.chosen = chosen;
            routingEvent.entropyBits = rows == 0 ? 0 : bits / rows;
            routingEvent.overflow = overflow;
            routingEvent.fallbacks = fallbacks;
            routingEvent.hits = hits.get() - toldHits;
            routingEvent.misses = misses.get() - toldMisses;
            routingEvent.bytesRead = bytesRead.get() - toldBytes;
            toldHits += routingEvent.hits;
            toldMisses += routingEvent.misses;
            toldBytes += routingEvent.bytesRead;
            routingEvent.commit();
        }
    }

    @Override
    public void routed(int layer, Routing routing) {
        if (!listening) {
            return;
        }
        clock.lap(StepClock.Phase.ROUTER);
        counters.orElseThrow().routed(layer, routing);
        rows += routing.rows();
        for (int row = 0; row < routing.rows(); row++) {
            chosen += routing.count(row);
            bits += ExpertCounters.bits(routing, row);
        }
        try {
            listener.routed(layer, batch, routing);
        } catch (RuntimeException e) {
            failed(e);
        }
        clock.lap(StepClock.Phase.OTHER);
    }

    @Override
    public void overflow(int layer, int expert, int row) {
        if (shadow) {
            return;
        }
        counters.orElseThrow().overflow(layer, expert, row);
        overflow++;
    }

    @Override
    public void fallback(int layer, int expert, Fallback.Step step, int row) {
        if (shadow) {
            return;
        }
        counters.orElseThrow().fallback(layer, expert, step, row);
        fallbacks++;
    }

    @Override
    public void hit(int layer, int expert) {
        counters.orElseThrow().hit(layer, expert);
        hits.getAndIncrement();
    }

    @Override
    public void miss(int layer, int expert) {
        counters.orElseThrow().miss(layer, expert);
        misses.getAndIncrement();
    }

    @Override
    public void loaded(int layer, int expert, long bytes, long nanos) {
        counters.orElseThrow().loaded(layer, expert, bytes, nanos);
        bytesRead.getAndAdd(bytes);
        ExpertLoadEvent event = new ExpertLoadEvent();
        if (event.isEnabled()) {
            event.layer = layer;
            event.expert = expert;
            event.bytes = bytes;
            event.took = nanos;
            event.commit();
        }
        try {
            listener.expertLoaded(layer, expert, bytes, nanos);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    /** The next step follows another policy. */
    void policy(RouterPolicy before, RouterPolicy now, String reason) {
        PolicyEvent event = new PolicyEvent();
        if (event.isEnabled()) {
            event.from = before.toString();
            event.to = now.toString();
            event.reason = reason;
            event.commit();
        }
        try {
            listener.policy(before, now, reason);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    /** A decoded token was run both ways. */
    void divergence(int position, double kl, boolean sameTop) {
        divergenceEvent.position = position;
        divergenceEvent.kl = kl;
        divergenceEvent.sameTop = sameTop;
        divergenceEvent.commit();
        try {
            listener.divergence(position, kl, sameTop);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    private void failed(RuntimeException e) {
        listener = EngineListener.NONE;
        LOG.warn("The engine's listener failed and is not called any more", e);
    }
}
