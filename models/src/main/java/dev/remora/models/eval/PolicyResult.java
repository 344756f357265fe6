package dev.remora.models.eval;

import dev.remora.moe.policy.Fallback;
import dev.remora.moe.policy.RouterPolicy;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What a policy does to a model's answers, and what it costs.
 *
 * @param policy  that was in force
 * @param reading how the texts were read, with the exact router too
 * @param all     of all texts
 * @param byLabel of each label and those below it, in the order of the tree
 * @param cost    of the steps that the policy acts on
 */
public record PolicyResult(
        RouterPolicy policy, Reading reading, Quality all, SequencedMap<String, Quality> byLabel, Cost cost) {
    public PolicyResult {
        byLabel = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(byLabel));
    }

    /** How answers are read. */
    public enum Reading {
        /** One token a step, as they are generated. */
        DECODED,
        /** In one go with their questions, as prompts are. */
        PROMPT
    }

    /**
     * Steps of one kind: decoded tokens, or prompts.
     *
     * @param tokens    that passed the model
     * @param nanos     of these steps
     * @param choices   tokens times sparse layers
     * @param chosen    experts that they met
     * @param bytesRead from files, to bring experts in
     * @param hits      experts that a step found in memory
     * @param misses    experts that a step waited for
     * @param overflow  rows that found an expert full
     * @param fallbacks rows that found an expert late, by what they did
     */
    public record Cost(
            long tokens,
            long nanos,
            long choices,
            long chosen,
            long bytesRead,
            long hits,
            long misses,
            long overflow,
            Map<Fallback.Step, Long> fallbacks) {
        public Cost {
            fallbacks = Map.copyOf(fallbacks);
        }

        /** Of the model's own steps, one sequence alone; NaN without tokens. */
        public double tokensPerSecond() {
            return nanos == 0 ? Double.NaN : tokens * 1e9 / nanos;
        }

        /** Routed experts that a token meets in a sparse layer; NaN without such layers. */
        public double expertsPerToken() {
            return (double) chosen / choices;
        }

        /** NaN without tokens. */
        public double bytesReadPerToken() {
            return (double) bytesRead / tokens;
        }

        /** Share of the experts that a step found in memory; NaN where all of them always are. */
        public double hitRate() {
            return (double) hits / (hits + misses);
        }
    }
}
