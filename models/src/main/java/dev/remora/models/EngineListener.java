package dev.remora.models;

import dev.remora.core.Batch;
import dev.remora.moe.ExpertCounters;
import dev.remora.moe.Routing;
import dev.remora.moe.policy.RouterPolicy;
import java.time.Duration;

/**
 * Sees what a model does; {@link LoadOptions#withListener} sets it. The engine thread calls it in the middle of its work,
 * so return soon, do not call the model, and copy what should be kept: objects that are handed over are used again. A
 * listener that throws is reported to the log and not called any more.
 *
 * <p>The same is told to Flight Recorder as events of the category Remora, whoever listens here.
 */
public interface EngineListener {
    /** Hears everything and does nothing; then nothing is measured either. */
    EngineListener NONE = new EngineListener() {};

    /** The model is ready; called once, by the thread that loads. */
    default void loaded(ModelInfo info, Duration took) {}

    /**
     * Several tokens of a sequence passed the model: a prompt or a part of it.
     *
     * @param position of the first of them
     * @param nanos    that the step took, which other sequences may share
     */
    default void prefill(int position, int tokens, long nanos) {}

    /**
     * One token of a sequence passed the model, which is what generating does.
     *
     * @param nanos that the step took, which other sequences may share
     */
    default void token(int position, long nanos) {}

    /**
     * The router of a layer decided, before the experts run.
     *
     * @param batch   the rows of the step: their tokens, sequences and positions; valid during the call
     * @param routing for each row its experts; valid during the call
     */
    default void routed(int layer, Batch batch, Routing routing) {}

    /** A step is done; called after {@link #prefill} and {@link #token} of its sequences. */
    default void step(StepFigures figures) {}

    /**
     * A step is done, of a model with experts.
     *
     * @param counters since loading, or since their last reset; may be read at any time later, by any thread
     */
    default void experts(ExpertCounters counters) {}

    /**
     * An expert was brought into memory; called by a thread that loads experts.
     *
     * @param bytes read
     */
    default void expertLoaded(int layer, int expert, long bytes, long nanos) {}

    /**
     * The router follows another policy from the next step on.
     *
     * @param reason for people
     */
    default void policy(RouterPolicy before, RouterPolicy now, String reason) {}

    /**
     * A guard had a decoded token run both ways.
     *
     * @param position of the token
     * @param kl       KL(exact || policy) of the next token, in nats
     * @param sameTop  true if both ways prefer the same token
     */
    default void divergence(int position, double kl, boolean sameTop) {}
}
