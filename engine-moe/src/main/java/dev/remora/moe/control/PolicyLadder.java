package dev.remora.moe.control;

import dev.remora.moe.MoeConfig;
import dev.remora.moe.policy.Availability;
import dev.remora.moe.policy.Capacity;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import dev.remora.moe.policy.Target.Knob;
import dev.remora.moe.policy.TopK;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A policy in steps: level 0 has one of its parts turned to where it changes nothing, the last level is the policy itself.
 * The other parts stay.
 */
public final class PolicyLadder {
    private static final int STEPS = 8;

    private final Knob knob;
    private final List<RouterPolicy> levels = new ArrayList<>();

    private PolicyLadder(Knob knob, RouterPolicy policy, MoeConfig config) {
        this.knob = knob;
        switch (knob) {
            case TOPK -> {
                int least = ((TopK.Fixed) policy.topK()).k();
                for (int k = config.numExpertsPerTok(); k >= least; k--) {
                    levels.add(policy.withTopK(new TopK.Fixed(k)));
                }
            }
            case MASS -> {
                TopK.Adaptive most = (TopK.Adaptive) policy.topK();
                for (int i = 0; i < STEPS; i++) {
                    double mass = 1 - (1 - most.mass()) * i / STEPS;
                    levels.add(policy.withTopK(new TopK.Adaptive(mass, most.kMin(), most.kMax(), most.renormalize())));
                }
                levels.add(policy);
            }
            case LAMBDA -> {
                Availability most = policy.availability().orElseThrow();
                for (int i = 0; i < STEPS; i++) {
                    levels.add(policy.withAvailability(new Availability(
                            most.shortlist(), most.lambda() * i / STEPS, most.keep(), most.maxLoss())));
                }
                levels.add(policy);
            }
            case CAPACITY -> {
                double least = policy.capacity().orElseThrow().factor();
                // All rows of a prompt in one expert.
                double unlimited = (double) config.nRoutedExperts() / config.numExpertsPerTok();
                for (int i = 0; i < STEPS && least < unlimited; i++) {
                    levels.add(policy.withCapacity(
                            new Capacity(unlimited * Math.pow(least / unlimited, (double) i / STEPS))));
                }
                levels.add(policy);
            }
        }
    }

    /**
     * The steps of a policy for a target.
     *
     * @throws IllegalArgumentException if the policy lacks what the target would adjust, or has no range of it
     */
    public static PolicyLadder of(RouterPolicy policy, Target target, MoeConfig config) {
        List<Knob> there = new ArrayList<>();
        // What spares reading, first: then what spares multiplying.
        if (policy.availability().isPresent()) {
            there.add(Knob.LAMBDA);
        }
        boolean fewer = !(policy.topK() instanceof TopK.Exact);
        if (fewer) {
            there.add(
                    target.quantity() == Target.Quantity.TOKENS_PER_SECOND ? 0 : there.size(),
                    policy.topK() instanceof TopK.Fixed ? Knob.TOPK : Knob.MASS);
        }
        if (policy.capacity().isPresent()) {
            there.add(Knob.CAPACITY);
        }
        if (there.isEmpty()) {
            throw new IllegalArgumentException("target: expected a policy with topk, mass, available or capacity, which"
                    + " says how far it may be turned, found " + policy);
        }
        Knob chosen = target.adjust().orElse(there.getFirst());
        if (!there.contains(chosen)) {
            throw new IllegalArgumentException("target: adjust: expected a part of the policy " + policy + ", found "
                    + chosen.name().toLowerCase(Locale.ROOT));
        }
        PolicyLadder ladder = new PolicyLadder(chosen, policy, config);
        if (ladder.levels.size() < 2) {
            throw new IllegalArgumentException("target: expected a policy that departs from the exact router, so that"
                    + " there is something to adjust, found " + policy);
        }
        return ladder;
    }

    /** What the levels differ in. */
    public Knob knob() {
        return knob;
    }

    /** Number of levels, 2 or more. */
    public int size() {
        return levels.size();
    }

    /** Level 0 departs least. */
    public RouterPolicy level(int index) {
        return levels.get(index);
    }
}
