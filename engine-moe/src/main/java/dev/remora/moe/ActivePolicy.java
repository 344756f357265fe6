package dev.remora.moe;

import dev.remora.core.Batch;
import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.moe.policy.Availability;
import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;

/**
 * A policy with its buffers. Three phases for each layer: {@link #begin} says how many candidates each row wants, the router
 * names them in parallel ({@link #perturb}, {@link Candidates#add}), {@link #decide} chooses among them and overwrites the
 * exact decision.
 */
final class ActivePolicy {
    private final RouterPolicy policy;
    private final int nRoutedExperts;
    private final Weighing weighing;
    private final Candidates candidates;
    private final TopKSelection topK;
    private final CapacityLimit capacity;
    private final NoisyChoice noise;
    private final AvailabilityChoice availability;
    private final FallbackPath fallback;
    private final int ofPrompts;
    private final int ofDecoding;
    private Batch batch;
    private int layer;

    ActivePolicy(MoeConfig config, int maxRows, RouterPolicy policy) {
        this.policy = policy;
        nRoutedExperts = config.nRoutedExperts();
        weighing = new Weighing(config);
        int shortlist = Math.min(
                config.reachableExperts(),
                policy.availability().map(Availability::shortlist).orElse(2 * config.numExpertsPerTok()));
        ofPrompts = policy.capacity().isPresent() ? shortlist : 0;
        ofDecoding = needsShortlist(policy) ? shortlist : policy.actsOnDecoding() ? config.numExpertsPerTok() : 0;
        int perRow = Math.max(ofPrompts, ofDecoding);
        candidates = new Candidates(maxRows, perRow);
        topK = new TopKSelection(config, policy.topK());
        capacity = policy.capacity().map(c -> new CapacityLimit(config, c)).orElse(null);
        noise = policy.noise().map(NoisyChoice::new).orElse(null);
        availability = policy.availability()
                .map(a -> new AvailabilityChoice(config, perRow, a))
                .orElse(null);
        fallback = policy.fallback().map(f -> new FallbackPath(config, f)).orElse(null);
    }

    private static boolean needsShortlist(RouterPolicy policy) {
        return policy.availability().isPresent()
                || policy.fallback()
                        .map(f -> f.order().contains(Fallback.Step.NEXT))
                        .orElse(false);
    }

    /** Bytes that the largest policy takes. */
    static long bytes(MoeConfig config, int maxRows) {
        return Candidates.bytes(maxRows, config.nRoutedExperts());
    }

    RouterPolicy policy() {
        return policy;
    }

    Candidates candidates() {
        return candidates;
    }

    /** A new layer of a step. */
    void begin(Batch newBatch, int newLayer, int rows) {
        if (newBatch.rows() != rows) {
            throw new IllegalArgumentException("a batch of " + newBatch.rows() + " rows for " + rows + " of h");
        }
        batch = newBatch;
        layer = newLayer;
        candidates.begin(batch, ofPrompts, ofDecoding);
    }

    /** Adds noise to what the experts of a row are chosen by. */
    void perturb(int row, float[] s, int sAt, float[] c, int cAt) {
        if (noise != null && candidates.decoding(row)) {
            noise.perturb(layer, batch.position(row), s, sAt, c, cAt, nRoutedExperts);
        }
    }

    /**
     * Decides for all rows that have candidates. Prompts come first: what they read is known when decoded tokens look for
     * what is at hand.
     *
     * @param scores  of all experts, without bias
     * @param routing what the exact router decided; overwritten
     */
    void decide(Rows scores, Routing routing, ExpertStore store, RoutingObserver observer) {
        if (capacity != null) {
            decidePrompts(scores, routing, observer);
        }
        if (ofDecoding > 0) {
            decideDecoding(scores, routing, store, observer);
        }
    }

    private void decidePrompts(Rows scores, Routing routing, RoutingObserver observer) {
        for (int segment = 0; segment < batch.segments(); segment++) {
            int from = batch.segmentStart(segment);
            int to = batch.segmentStart(segment + 1);
            if (!candidates.decoding(from)) {
                capacity.apply(candidates, from, to, layer, observer);
                for (int row = from; row < to; row++) {
                    write(row, scores, routing);
                }
            }
        }
    }

    private void decideDecoding(Rows scores, Routing routing, ExpertStore store, RoutingObserver observer) {
        for (int row = 0; row < routing.rows(); row++) {
            if (candidates.decoding(row)) {
                topK.apply(candidates, row);
            }
        }
        if (availability != null) {
            preferAvailable(routing, store);
        }
        if (fallback != null) {
            replaceLate(routing, store, observer);
        }
        for (int row = 0; row < routing.rows(); row++) {
            if (candidates.decoding(row)) {
                write(row, scores, routing);
            }
        }
    }

    private void preferAvailable(Routing routing, ExpertStore store) {
        availability.begin();
        for (int row = 0; row < routing.rows(); row++) {
            if (candidates.decoding(row)) {
                availability.expectBest(candidates, row);
            } else {
                availability.expectAll(routing, row);
            }
        }
        for (int row = 0; row < routing.rows(); row++) {
            if (candidates.decoding(row)) {
                availability.apply(candidates, row, layer, store);
            }
        }
    }

    private void replaceLate(Routing routing, ExpertStore store, RoutingObserver observer) {
        fallback.begin();
        for (int row = 0; row < routing.rows(); row++) {
            if (!candidates.decoding(row)) {
                fallback.expectAll(routing, row);
            }
        }
        for (int row = 0; row < routing.rows(); row++) {
            if (candidates.decoding(row)) {
                fallback.request(candidates, row, layer, store);
            }
        }
        if (fallback.await(layer, store)) {
            for (int row = 0; row < routing.rows(); row++) {
                if (candidates.decoding(row)) {
                    fallback.apply(candidates, row, layer, store, observer);
                }
            }
        }
    }

    /** From what is chosen to experts in ascending order and weights by their exact scores. */
    private void write(int row, Rows scores, Routing routing) {
        routing.clear(row);
        for (int rank = 0; rank < candidates.count(row); rank++) {
            if (candidates.chosen(row, rank)) {
                routing.insert(row, candidates.expert(row, rank));
            }
        }
        for (int rank = 0; rank < routing.count(row); rank++) {
            float score = scores.data()[scores.offset(row) + routing.expert(row, rank)];
            routing.setWeight(row, rank, weighing.weight(score, candidates.mass(row), candidates.scale(row)));
        }
    }

    /** The network that runs in place of an expert's own in this layer, or null. */
    SwiGlu substitute(int expert) {
        return fallback == null ? null : fallback.substitute(expert);
    }
}
