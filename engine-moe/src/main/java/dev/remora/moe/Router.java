package dev.remora.moe;

import dev.remora.core.Batch;
import dev.remora.core.CheckpointException;
import dev.remora.core.Linear;
import dev.remora.core.ParallelTask;
import dev.remora.core.RemoraException;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.Weight;
import java.util.Arrays;

/**
 * The exact router of one layer: logits in f32, scores rounded to f32 once. Of equal scores the lower index wins, so a
 * choice never depends on anything but the row.
 */
public final class Router {
    private static final int CHUNK_ROWS = 8;

    // Two biased scores must add up to a finite number.
    private static final float MAX_BIAS = 1e30f;

    private final String name;
    private final MoeConfig config;
    private final Weighing weighing;
    private final float[] bias;
    private final Linear gate;
    private final MoeWorkspace workspace;
    private final ParallelTask task = this::routeChunk;

    /**
     * @param name      of the gate, for messages
     * @param gate      (n_routed_experts, hidden_size)
     * @param bias      e_score_correction_bias, added to scores for the choice only; empty: none
     * @param workspace shared by all layers
     */
    public Router(String name, MoeConfig config, Weight gate, float[] bias, MoeWorkspace workspace) {
        if (gate.rows() != config.nRoutedExperts() || gate.cols() != config.hiddenSize()) {
            throw new CheckpointException(name + ": expected (" + config.nRoutedExperts() + ", " + config.hiddenSize()
                    + ") = (n_routed_experts, hidden_size), found (" + gate.rows() + ", " + gate.cols() + ")");
        }
        requireBias(name, config, bias);
        this.name = name;
        this.config = config;
        this.weighing = new Weighing(config);
        this.bias = bias.clone();
        this.gate = new Linear(gate, workspace.team());
        this.workspace = workspace;
    }

    private static void requireBias(String name, MoeConfig config, float[] bias) {
        if (bias.length == 0) {
            return;
        }
        if (config.topkMethod() != TopkMethod.NOAUX_TC) {
            throw new CheckpointException(
                    name + ": e_score_correction_bias belongs to topk_method noaux_tc, found " + config.topkMethod());
        }
        if (bias.length != config.nRoutedExperts()) {
            throw new CheckpointException(name + ": expected n_routed_experts = " + config.nRoutedExperts()
                    + " values of e_score_correction_bias, found " + bias.length);
        }
        for (int expert = 0; expert < bias.length; expert++) {
            if (!(Math.abs(bias[expert]) <= MAX_BIAS)) {
                throw new CheckpointException(name + ": expected finite values of e_score_correction_bias, at most "
                        + MAX_BIAS + ", found " + bias[expert] + " for expert " + expert);
            }
        }
    }

    /**
     * Routes all rows; the result is in the workspace's {@link Routing}.
     *
     * @param h     (n, hidden_size)
     * @param batch whose rows they are
     * @param layer index in the model
     * @param store of the experts, asked by policies what is at hand
     * @throws RemoraException if a logit is no finite number
     */
    public void route(Rows h, Batch batch, int layer, ExpertStore store) {
        int n = h.count();
        ActivePolicy policy = workspace.activePolicy();
        if (policy != null) {
            policy.begin(batch, layer, n);
        }
        workspace.routing().resize(n);
        workspace.choice().resize(n);
        gate.forward(h, workspace.scores());
        workspace.team().run(task, (n + CHUNK_ROWS - 1) / CHUNK_ROWS);
        if (policy != null) {
            policy.decide(workspace.scores(), workspace.routing(), store, workspace.observer());
        }
    }

    /**
     * Guesses what this layer will choose for a row from what an earlier layer was given: the stream changes little from
     * layer to layer. The guess is in the workspace.
     *
     * @param h (1, hidden_size)
     */
    void guess(Rows h) {
        Rows scores = workspace.guessScores();
        gate.forward(h, scores);
        float[] s = scores.data();
        int at = scores.offset(0);
        Scores.apply(config.scoringFunc(), s, at, config.nRoutedExperts());
        for (int expert = 0; expert < bias.length; expert++) {
            s[at + expert] += bias[expert];
        }
        if (config.limitsGroups()) {
            maskGroups(0, s, at);
        }
        for (int rank = 0; rank < workspace.guess().length; rank++) {
            workspace.guess()[rank] = takeLargest(s, at, config.nRoutedExperts());
        }
    }

    private void routeChunk(int chunk, Scratch scratch) {
        int end = Math.min((chunk + 1) * CHUNK_ROWS, workspace.routing().rows());
        for (int row = chunk * CHUNK_ROWS; row < end; row++) {
            routeRow(row);
        }
    }

    private void routeRow(int row) {
        Rows scores = workspace.scores();
        Rows choice = workspace.choice();
        float[] s = scores.data();
        int sAt = scores.offset(row);
        requireFinite(row, s, sAt);
        Scores.apply(config.scoringFunc(), s, sAt, config.nRoutedExperts());
        float[] c = choice.data();
        int cAt = choice.offset(row);
        System.arraycopy(s, sAt, c, cAt, config.nRoutedExperts());
        for (int expert = 0; expert < bias.length; expert++) {
            c[cAt + expert] += bias[expert];
        }
        if (config.limitsGroups()) {
            maskGroups(row, c, cAt);
        }
        Routing routing = workspace.routing();
        routing.clear(row);
        for (int rank = 0; rank < config.numExpertsPerTok(); rank++) {
            routing.insert(row, takeLargest(c, cAt, config.nRoutedExperts()));
        }
        double mass = weigh(row, s, sAt, routing);
        ActivePolicy policy = workspace.activePolicy();
        if (policy != null && policy.candidates().wanted(row) > 0) {
            nameCandidates(row, s, sAt, c, cAt, mass, policy);
        }
    }

    /** For a policy: from what is left after the exact choice, and that choice itself, the best after noise. */
    private void nameCandidates(int row, float[] s, int sAt, float[] c, int cAt, double mass, ActivePolicy policy) {
        Routing routing = workspace.routing();
        for (int rank = 0; rank < routing.count(row); rank++) {
            int expert = routing.expert(row, rank);
            c[cAt + expert] = s[sAt + expert] + (bias.length > 0 ? bias[expert] : 0);
        }
        policy.perturb(row, s, sAt, c, cAt);
        Candidates candidates = policy.candidates();
        candidates.mass(row, mass);
        for (int count = 0; count < candidates.wanted(row); count++) {
            int expert = takeLargest(c, cAt, config.nRoutedExperts());
            candidates.add(row, expert, s[sAt + expert]);
        }
    }

    private void requireFinite(int row, float[] logits, int at) {
        for (int expert = 0; expert < config.nRoutedExperts(); expert++) {
            if (!Float.isFinite(logits[at + expert])) {
                throw new RemoraException(name + ": expected finite router logits, found " + logits[at + expert]
                        + " for expert " + expert + " in row " + row + " of the step; the hidden state overflowed, or"
                        + " the checkpoint is damaged");
            }
        }
    }

    /** Leaves the best topk_group groups; what is masked is below any score, whatever the biases. */
    private void maskGroups(int row, float[] c, int cAt) {
        int size = config.expertsPerGroup();
        float[] g = workspace.groups().data();
        int gAt = workspace.groups().offset(row);
        for (int group = 0; group < config.nGroup(); group++) {
            g[gAt + group] = groupScore(c, cAt + group * size, size);
        }
        for (int kept = 0; kept < config.topkGroup(); kept++) {
            takeLargest(g, gAt, config.nGroup());
        }
        for (int group = 0; group < config.nGroup(); group++) {
            boolean taken = g[gAt + group] == Float.NEGATIVE_INFINITY;
            if (!taken) {
                int from = cAt + group * size;
                Arrays.fill(c, from, from + size, Float.NEGATIVE_INFINITY);
            }
        }
    }

    private float groupScore(float[] c, int from, int size) {
        float best = Float.NEGATIVE_INFINITY;
        float second = Float.NEGATIVE_INFINITY;
        for (int i = from; i < from + size; i++) {
            if (c[i] > best) {
                second = best;
                best = c[i];
            } else if (c[i] > second) {
                second = c[i];
            }
        }
        return config.topkMethod() == TopkMethod.NOAUX_TC ? best + second : best;
    }

    /** Index of the largest of n values, the first of equal ones, which is taken out. */
    private static int takeLargest(float[] c, int at, int n) {
        int best = 0;
        for (int i = 1; i < n; i++) {
            if (c[at + i] > c[at + best]) {
                best = i;
            }
        }
        c[at + best] = Float.NEGATIVE_INFINITY;
        return best;
    }

    /** Returns the sum of the scores of the experts that were chosen. */
    private double weigh(int row, float[] s, int at, Routing routing) {
        double mass = 0;
        for (int rank = 0; rank < routing.count(row); rank++) {
            mass += s[at + routing.expert(row, rank)];
        }
        for (int rank = 0; rank < routing.count(row); rank++) {
            routing.setWeight(row, rank, weighing.weight(s[at + routing.expert(row, rank)], mass));
        }
        return mass;
    }
}
