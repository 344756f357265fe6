package dev.remora.moe.control;

import dev.remora.moe.MoeConfig;
import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Which policy the next step follows: the one that was asked for, as far as the controller takes it and the guard lets it
 * pass. All but {@link #ask} and {@link #asked} is for the thread that runs the steps, and allocates nothing unless the
 * policy changes.
 */
public final class PolicyLoop {
    private final Optional<MoeConfig> config;
    private final Optional<Target> target;
    private final Guard bounds;
    private final DivergenceGuard guard;
    private final LongSupplier clock;
    private volatile RouterPolicy asked;
    private RouterPolicy base;
    private PolicyController controller;
    private boolean ofPrompts;
    private boolean guarding;
    private String reason = "asked for";
    private long decodingSteps;

    // The measurement that is under way.
    private int steps;
    private long tokens;
    private long nanos;
    private long hits;
    private long misses;
    private long bytes;

    /**
     * A loop that begins with a policy as it is, or with the least departure if there is a target.
     *
     * @param config of the sparse layers, empty: there are none
     * @param clock  nanoseconds from any beginning
     */
    public PolicyLoop(
            RouterPolicy policy,
            Optional<MoeConfig> config,
            Optional<Target> target,
            Optional<Guard> guard,
            LongSupplier clock) {
        this.config = config;
        this.target = target;
        this.bounds = guard.orElse(null);
        this.guard = guard.map(DivergenceGuard::new).orElse(null);
        this.clock = clock;
        asked = policy;
        adopt(policy);
    }

    /**
     * Makes sure that there is something to adapt and to guard.
     *
     * @param fromFiles true if experts are read from files while the model runs
     * @throws IllegalArgumentException if there is not; the message names the cure
     */
    public static void require(
            RouterPolicy policy,
            Optional<MoeConfig> config,
            Optional<Target> target,
            Optional<Guard> guard,
            boolean fromFiles) {
        if (guard.isPresent() && !policy.actsOnDecoding()) {
            throw new IllegalArgumentException(
                    "guard: expected a policy for decoded tokens, which it would watch, found " + policy
                            + "; give one, for example topk:2, or leave the guard out");
        }
        if (target.isPresent()) {
            Target wanted = target.get();
            if (policy.isExact() || config.isEmpty()) {
                throw new IllegalArgumentException("target: expected a policy, which says how far the router may depart"
                        + " from the exact one to meet it, found exact; give one, for example topk:2");
            }
            if (wanted.quantity().ofFiles() && !fromFiles) {
                throw new IllegalArgumentException(
                        "target: expected a limited memory for experts, without which none is"
                                + " read from files, found all in memory; limit it, or aim at tokens-per-second");
            }
            PolicyLadder.of(policy, wanted, config.get());
        }
    }

    /** Another policy to follow, from the next step on. From any thread. */
    public void ask(RouterPolicy policy) {
        asked = policy;
    }

    /** What was asked for last. From any thread. */
    public RouterPolicy asked() {
        return asked;
    }

    /** True if samples are wanted at all, now or under another policy. */
    public boolean guards() {
        return guard != null;
    }

    /** The policy of the next step, guard included. */
    public RouterPolicy next() {
        RouterPolicy wanted = asked;
        if (!wanted.equals(base)) {
            adopt(wanted);
            reason = "asked for";
        }
        return tripped() ? RouterPolicy.EXACT : trial();
    }

    /** The policy that serves, or would serve if the guard had not tripped. */
    public RouterPolicy trial() {
        return controller == null ? base : controller.policy();
    }

    /** True if the guard has tripped: the router is exact. */
    public boolean tripped() {
        return guarding && guard.tripped();
    }

    /** Why {@link #next()} is what it is. */
    public String reason() {
        return reason;
    }

    /** Counts a step of decoded tokens. True if it is to be run both ways. */
    public boolean sampleThisStep() {
        return guarding && decodingSteps++ % bounds.every() == 0;
    }

    /**
     * What running a decoded token both ways showed.
     *
     * @return true if the guard trips, or trusts again
     */
    public boolean sample(double kl, boolean sameTop) {
        if (!guard.sample(kl, sameTop)) {
            return false;
        }
        reason = guard.reason();
        if (guard.tripped() && controller != null) {
            controller.tooFar();
        }
        forgetMeasurement();
        return true;
    }

    /**
     * What a step cost, run under {@link #next()}.
     *
     * @param prompt      true if it was one
     * @param stepTokens  rows
     * @param stepHits    experts found in memory
     * @param stepMisses  experts that were not
     * @param stepBytes   read for experts meanwhile
     */
    public void measured(
            boolean prompt, int stepTokens, long stepNanos, long stepHits, long stepMisses, long stepBytes) {
        if (controller == null || prompt != ofPrompts || tripped()) {
            return;
        }
        tokens += stepTokens;
        nanos += stepNanos;
        hits += stepHits;
        misses += stepMisses;
        bytes += stepBytes;
        if (++steps >= target.orElseThrow().every()) {
            if (controller.measured(quantity())) {
                reason = controller.reason();
            }
            forgetMeasurement();
        }
    }

    private double quantity() {
        return switch (target.orElseThrow().quantity()) {
            case TOKENS_PER_SECOND -> nanos == 0 ? Double.NaN : tokens * 1e9 / nanos;
            case BYTES_PER_TOKEN -> (double) bytes / tokens;
            case HIT_RATE -> hits + misses == 0 ? Double.NaN : (double) hits / (hits + misses);
        };
    }

    private void forgetMeasurement() {
        steps = 0;
        tokens = 0;
        nanos = 0;
        hits = 0;
        misses = 0;
        bytes = 0;
    }

    private void adopt(RouterPolicy policy) {
        base = policy;
        guarding = guard != null && policy.actsOnDecoding();
        if (guard != null) {
            guard.reset();
        }
        decodingSteps = 0;
        controller = null;
        forgetMeasurement();
        if (target.isPresent() && config.isPresent() && !policy.isExact()) {
            adapt(policy);
        }
    }

    /** A policy that has nothing for the target to turn is followed as it is. */
    private void adapt(RouterPolicy policy) {
        PolicyLadder ladder;
        try {
            ladder = PolicyLadder.of(policy, target.orElseThrow(), config.orElseThrow());
        } catch (IllegalArgumentException e) {
            return;
        }
        controller = new PolicyController(target.orElseThrow(), ladder, clock);
        ofPrompts = ladder.knob() == Target.Knob.CAPACITY;
    }
}
