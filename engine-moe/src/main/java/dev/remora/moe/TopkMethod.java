package dev.remora.moe;

/** {@code topk_method}: how experts are chosen by their scores, and what becomes of the weights. */
public enum TopkMethod {
    /** The best of all experts. Weights are normalised or scaled, never both (DeepSeek-V2-Lite). */
    GREEDY,
    /** The best within the groups whose best expert is best. Weights as for {@link #GREEDY} (DeepSeek-V2). */
    GROUP_LIMITED_GREEDY,
    /**
     * By score plus e_score_correction_bias, within the groups whose two best experts add up to most. Weights come from
     * the scores without bias and are normalised, if asked for, then scaled (DeepSeek-V3).
     */
    NOAUX_TC
}
