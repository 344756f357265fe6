/** Block-scaled FP8 E4M3 weights: codec, kernels, quantiser. */
@SuppressWarnings("module") // the name ends in a digit because the format does
module dev.remora.fp8 {
    requires transitive dev.remora.core;
    requires static jdk.incubator.vector;

    exports dev.remora.fp8;
}
