/** Multi-head latent attention. Entry: {@link dev.remora.mla.MultiHeadLatentAttention}. */
module dev.remora.mla {
    requires transitive dev.remora.core;

    exports dev.remora.mla;
}
