package dev.remora.models.convert;

/** What the matrices of a checkpoint are stored as. */
public enum WeightFormat {
    /** E4M3 with one f32 scale for each block of 128 x 128, as DeepSeek-V3 is published. */
    FP8,
    /** The upper half of an f32, rounded to the nearest, halves to even. */
    BF16
}
