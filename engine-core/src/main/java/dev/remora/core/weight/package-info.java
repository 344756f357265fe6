/**
 * Dense weights in F32, BF16 and F16, and what every tiled format shares. Start at {@link
 * dev.remora.core.weight.DenseMatrix}, a matrix as stored, and {@link dev.remora.core.weight.TiledWeight}, the
 * multiplication.
 *
 * <p>Layout of a tile of 64 output rows: words of four bytes, {@code word[w][row]} with {@code w} the index of the word
 * within its matrix row, so a word holds one F32 or two BF16/F16 (or four FP8) neighbours of one row, and one vector load
 * holds the same columns of neighbouring rows. The matrix-vector kernel and the panels of the multiplication both read it
 * in order.
 *
 * <pre>
 *   word 0: | row 0 | row 1 | ... | row 63 |    BF16: row 0 = columns 0 and 1, little-endian
 *   word 1: | row 0 | row 1 | ... | row 63 |          row 0 = columns 2 and 3
 * </pre>
 *
 * <p>Never here: threads, checkpoints, block scales.
 */
package dev.remora.core.weight;
