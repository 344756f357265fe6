/** Block-scaled FP8 E4M3 weights: codec, kernels, quantiser. */
@SuppressWarnings("module") // the digit belongs to the name of the format
module dev.remora.fp8 {
    requires transitive dev.remora.core;
    requires static jdk.incubator.vector;

    exports dev.remora.fp8;
}
