package dev.remora.models;

import dev.remora.core.sampling.Sampler;
import dev.remora.core.sampling.SamplingParams;

/** From the ids so far to the next one. From the batch to the sampled id nothing is allocated. */
final class TokenLoop {
    private final Sequence sequence;
    private final Sampler sampler;
    private final Cancellation cancellation;
    private final float[] logits;

    TokenLoop(Sequence sequence, SamplingParams sampling, float[] logits, Cancellation cancellation) {
        this.sequence = sequence;
        this.cancellation = cancellation;
        this.logits = logits;
        sampler = new Sampler(sampling, logits.length);
    }

    SamplingParams sampling() {
        return sampler.params();
    }

    /** Tells the sampler that the answer follows what the sequence holds now. */
    void observe() {
        sampler.observe(sequence.ids(), 0, sequence.length());
    }

    /** Runs what is pending, chooses the next id and adds it to the sequence, pending. */
    int next() {
        sequence.run(logits, cancellation);
        int id = sampler.sample(logits);
        sequence.add(id);
        return id;
    }

    /** Of the id that {@link #next()} gave. */
    float logProbability() {
        return sampler.logProbability();
    }
}
