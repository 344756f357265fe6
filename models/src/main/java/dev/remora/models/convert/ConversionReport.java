package dev.remora.models.convert;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a conversion did.
 *
 * @param target      the new checkpoint
 * @param before      tensors that were read
 * @param after       tensors that were written
 * @param converted   how many tensors got another format, as they were read: a stack of experts counts once
 * @param experts     how many experts were put in order; 0: the order was not asked for
 * @param kept        tensors whose numbers were copied, scales included
 * @param rounding    what the new format cost; empty: no tensor got another one
 * @param copied      files beside the tensors that were copied
 * @param leftOut     files and folders of the old checkpoint that the new one has not
 * @param elapsed     time of the conversion
 */
public record ConversionReport(
        Path target,
        Size before,
        Size after,
        int converted,
        int experts,
        Size kept,
        Optional<Rounding> rounding,
        List<String> copied,
        List<String> leftOut,
        Duration elapsed) {
    /**
     * Tensors.
     *
     * @param files that they are in; 0 where that is not asked
     */
    public record Size(int tensors, long bytes, int files) {}

    /**
     * What was lost.
     *
     * @param largest     error of a number, relative to the number, of those that the new format holds as normal numbers:
     *     at most 1/16 for FP8 and 1/256 for BF16. Smaller numbers have steps of 2^-9 of their scale in FP8
     * @param tensor      in which it is
     * @param meanSquare  the root of the sum of all squared errors, relative to that of all squared numbers
     */
    public record Rounding(double largest, String tensor, double meanSquare) {}
}
