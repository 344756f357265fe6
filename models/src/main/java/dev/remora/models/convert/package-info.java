/**
 * Checkpoints rewritten: experts in the order in which they are read, matrices quantised to FP8 or decoded to BF16. Start at
 * {@link dev.remora.models.convert.Conversion}.
 *
 * <p>Never here: loading, kernels, how files are written.
 */
package dev.remora.models.convert;
