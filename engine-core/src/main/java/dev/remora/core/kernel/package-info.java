/**
 * Kernels on f32 arrays and their scalar twins. Start at {@link dev.remora.core.kernel.Kernels}, the door that checks
 * nothing and chooses once between the vector kernels ({@code *Kernels}) and the scalar ones ({@code *Reference}), which
 * specify them: both give the same bits, at every vector width.
 *
 * <p>Two rules make that true. A sum that belongs to one output element is one chain of fused multiply-adds in ascending
 * order of the inner index; lanes hold different outputs. A sum over one row (norms, softmax) has {@value
 * dev.remora.core.kernel.RowReference#LANES} fixed chains that are added in a fixed tree.
 *
 * <p>Never here: checkpoints, tokenizers, threads.
 */
package dev.remora.core.kernel;
