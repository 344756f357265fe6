package dev.remora.models;

/** Takes rows of logits as they are computed. */
@FunctionalInterface
public interface LogitsConsumer {
    /**
     * One row, in ascending order of positions.
     *
     * @param index of the id in the scored array; the logits are the model's for the id after it
     * @param logits (vocabSize), only valid during the call
     */
    void accept(int index, float[] logits);
}
