package dev.remora.moe;

import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.core.SwiGluGroups;
import dev.remora.core.ThreadTeam;
import dev.remora.moe.policy.RouterPolicy;

/** The buffers of all sparse layers, which run one after the other. Made once for an engine. */
public final class MoeWorkspace {
    private static final RoutingListener NOBODY = (layer, routing) -> {};

    private final MoeConfig config;
    private final ThreadTeam team;
    private final int maxRows;
    private final Rows scores;
    private final Rows choice;
    private final Rows groups;
    private final Routing routing;
    private final ExpertGroups expertGroups;
    private final SwiGlu[] networks;
    private final SwiGluGroups runs;
    private final Rows activation;
    private final Rows sharedActivation;
    private final Rows output;
    private final Rows guessScores;
    private final int[] guess;
    private RoutingListener listener = NOBODY;
    private RoutingObserver observer = RoutingObserver.NONE;
    private RouterPolicy policy = RouterPolicy.EXACT;
    private ActivePolicy latest;
    private ActivePolicy activePolicy;

    /**
     * @param maxRows most rows of a step
     * @param team    of the engine
     */
    public MoeWorkspace(MoeConfig config, int maxRows, ThreadTeam team) {
        this.config = config;
        this.team = team;
        this.maxRows = maxRows;
        int slots = Math.multiplyExact(maxRows, config.numExpertsPerTok());
        scores = new Rows(maxRows, config.nRoutedExperts());
        choice = new Rows(maxRows, config.nRoutedExperts());
        groups = new Rows(maxRows, config.limitsGroups() ? config.nGroup() : 0);
        routing = new Routing(maxRows, config.numExpertsPerTok());
        activation = new Rows(slots, config.moeIntermediateSize());
        sharedActivation = new Rows(maxRows, config.sharedIntermediateSize());
        output = new Rows(slots, config.hiddenSize());
        guessScores = new Rows(1, config.nRoutedExperts());
        guess = new int[config.numExpertsPerTok()];
        expertGroups = new ExpertGroups(config, maxRows, activation, output);
        networks = new SwiGlu[expertGroups.capacity()];
        runs = new SwiGluGroups(team, expertGroups.capacity() + 1);
    }

    /** Bytes that a workspace takes, for the account of memory before loading. */
    public static long bytes(MoeConfig config, int maxRows) {
        int slots = Math.multiplyExact(maxRows, config.numExpertsPerTok());
        // Each group selects up to maxRows of its inputs, activations and outputs; each slot has an
        // expert, a weight and a place in its group; each row a number of experts.
        long selections = 3L * maxRows * Math.min(config.nRoutedExperts(), slots);
        return Rows.bytes(slots, config.hiddenSize())
                + Rows.bytes(slots, config.moeIntermediateSize())
                + Rows.bytes(maxRows, config.sharedIntermediateSize())
                + 2 * Rows.bytes(maxRows, config.nRoutedExperts())
                + ActivePolicy.bytes(config, maxRows)
                + Rows.bytes(maxRows, config.limitsGroups() ? config.nGroup() : 0)
                + Integer.BYTES * (selections + 3L * slots + maxRows);
    }

    /** The shape of the layers. */
    public MoeConfig config() {
        return config;
    }

    /** Sets who sees the router's decisions; there is one. */
    public void listen(RoutingListener newListener) {
        listener = newListener;
    }

    RoutingListener listener() {
        return listener;
    }

    /** Sets who is told where a policy took an expert from a row; there is one. */
    public void observe(RoutingObserver newObserver) {
        observer = newObserver;
    }

    RoutingObserver observer() {
        return observer;
    }

    /**
     * Sets how far the router may depart from the exact one, from the next step on. To be called between steps, by the
     * thread that runs them.
     *
     * @throws IllegalArgumentException if the policy asks for what the model cannot do
     */
    public void policy(RouterPolicy newPolicy) {
        if (newPolicy.isExact()) {
            policy = newPolicy;
            activePolicy = null;
            return;
        }
        // Kept beside the exact router, so that going back and forth between the two checks and allocates nothing.
        if (latest == null || !latest.policy().equals(newPolicy)) {
            config.requireSupports(newPolicy);
            latest = new ActivePolicy(config, maxRows, newPolicy);
        }
        policy = newPolicy;
        activePolicy = latest;
    }

    /** The policy of the next step; {@link RouterPolicy#EXACT} until another is set. */
    public RouterPolicy policy() {
        return policy;
    }

    /** What departs from the exact router, or null. */
    ActivePolicy activePolicy() {
        return activePolicy;
    }

    ThreadTeam team() {
        return team;
    }

    int maxRows() {
        return maxRows;
    }

    /** Logits of the router, then scores, (n, n_routed_experts). */
    Rows scores() {
        return scores;
    }

    /** What experts are chosen by: scores plus bias, with what is out of reach at negative infinity. */
    Rows choice() {
        return choice;
    }

    /** Scores of the groups, (maxRows, n_group); of width 0 where groups do not matter. */
    Rows groups() {
        return groups;
    }

    /** The decision of the layer that ran last. */
    public Routing routing() {
        return routing;
    }

    ExpertGroups expertGroups() {
        return expertGroups;
    }

    /** Experts in use, in the order of the groups. */
    SwiGlu[] networks() {
        return networks;
    }

    SwiGluGroups runs() {
        return runs;
    }

    Rows sharedActivation() {
        return sharedActivation;
    }

    /** Scores of a router that guesses, (1, n_routed_experts). */
    Rows guessScores() {
        return guessScores;
    }

    /** What it guessed, num_experts_per_tok experts. */
    int[] guess() {
        return guess;
    }

    /** Outputs of experts, row after row within expert after expert, (n * num_experts_per_tok, hidden_size). */
    Rows output() {
        return output;
    }
}
