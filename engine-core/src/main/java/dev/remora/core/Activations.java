package dev.remora.core;

/** What the rows that weights multiply are rounded to. Products are summed in f32 either way. */
public enum Activations {
    /** Not rounded: the default. */
    F32,
    /**
     * The inputs of matrices that are stored as FP8 are rounded to FP8 (E4M3) with one scale for 128 values, as DeepSeek's
     * GPU reference does; the inputs of all other matrices are not.
     */
    FP8
}
