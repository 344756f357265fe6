/**
 * Multi-head latent attention (arXiv:2405.04434, section 2.1): keys and values of all heads are kept as one small latent
 * vector per position. Start at {@link dev.remora.mla.MultiHeadLatentAttention#forward}.
 *
 * <p>The same equations are evaluated in two ways. Absorbed ({@link dev.remora.mla.AbsorbedAttention}): queries move into
 * the latent space and meet the cache rows themselves. Expanded ({@link dev.remora.mla.ExpandedAttention}): keys and values
 * are expanded again from the cache, a stretch at a time. Both attend through {@link
 * dev.remora.mla.OnlineAttention}. {@link dev.remora.mla.Evaluation} chooses by what is cheaper.
 *
 * <p>Never here: files, experts, threads of its own.
 */
package dev.remora.mla;
