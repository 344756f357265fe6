package dev.remora.core.sampling;

import java.util.Map;

/** Logit bias and penalties: the part of sampling that depends on the ids so far. */
final class Penalties {
    private final SamplingParams params;
    private final int[] biasedIds;
    private final float[] biases;
    private final float[] adjusted;
    private final boolean counting;
    // Of each id: times generated; whether it stood in prompt or answer. Then the ids that did, so that a step costs
    // their
    // number and not the vocabulary's.
    private final int[] generated;
    private final boolean[] seen;
    private final int[] seenIds;
    private int seenCount;

    Penalties(SamplingParams params, int vocabSize) {
        this.params = params;
        Map<Integer, Float> bias = params.logitBias();
        biasedIds = bias.keySet().stream().mapToInt(Integer::intValue).sorted().toArray();
        biases = new float[biasedIds.length];
        for (int i = 0; i < biasedIds.length; i++) {
            biases[i] = bias.get(biasedIds[i]);
        }
        if (biasedIds.length > 0 && biasedIds[biasedIds.length - 1] >= vocabSize) {
            throw new IllegalArgumentException("logitBias: expected token ids from 0 to " + (vocabSize - 1) + ", found "
                    + biasedIds[biasedIds.length - 1]);
        }
        counting = params.repetitionPenalty() != 1 || params.frequencyPenalty() != 0 || params.presencePenalty() != 0;
        int counted = counting ? vocabSize : 0;
        generated = new int[counted];
        seen = new boolean[counted];
        seenIds = new int[counted];
        adjusted = new float[counting || biasedIds.length > 0 ? vocabSize : 0];
    }

    void see(int id) {
        if (counting && !seen[id]) {
            seen[id] = true;
            seenIds[seenCount++] = id;
        }
    }

    void generated(int id) {
        see(id);
        if (counting) {
            generated[id]++;
        }
    }

    /** The logits with bias and penalties; the array itself if there are none. */
    float[] apply(float[] logits) {
        if (adjusted.length == 0) {
            return logits;
        }
        System.arraycopy(logits, 0, adjusted, 0, adjusted.length);
        for (int i = 0; i < biasedIds.length; i++) {
            adjusted[biasedIds[i]] += biases[i];
        }
        float repetition = params.repetitionPenalty();
        for (int i = 0; i < seenCount; i++) {
            int id = seenIds[i];
            float logit = adjusted[id];
            logit = logit > 0 ? logit / repetition : logit * repetition;
            if (generated[id] > 0) {
                logit -= params.frequencyPenalty() * generated[id] + params.presencePenalty();
            }
            adjusted[id] = logit;
        }
        return adjusted;
    }
}
