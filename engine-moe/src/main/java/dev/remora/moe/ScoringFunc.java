package dev.remora.moe;

/** {@code scoring_func}: how router logits become scores. */
public enum ScoringFunc {
    /** Over all experts of the layer. */
    SOFTMAX,
    /** Each expert by itself. */
    SIGMOID
}
