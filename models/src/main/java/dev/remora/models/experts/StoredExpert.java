package dev.remora.models.experts;

import dev.remora.core.StoredMatrix;
import dev.remora.core.SwiGlu;
import java.util.List;

/**
 * A routed expert in the files of a checkpoint.
 *
 * @param layer  index in the model
 * @param expert index in its layer
 */
public record StoredExpert(int layer, int expert, Part gate, Part up, Part down) {
    private static final long ALIGNMENT = 64;
    private static final long PAGE = 4096;

    /** Most allocations that a packed matrix consists of, each aligned. */
    private static final int SEGMENTS = 2;

    /**
     * One of its matrices.
     *
     * @param tensor its name, for messages
     * @param matrix its shape, format and companions; its elements are not read
     * @param file   in the source of the checkpoint
     * @param offset of its first element in the file
     */
    public record Part(String tensor, StoredMatrix matrix, String file, long offset) {
        long bytes() {
            return matrix.storedBytes();
        }

        long end() {
            return offset + bytes();
        }
    }

    List<Part> parts() {
        return List.of(gate, up, down);
    }

    /** Bytes of its elements in the files. */
    public long storedBytes() {
        return gate.bytes() + up.bytes() + down.bytes();
    }

    /** Bytes of a slot that can hold it, in tiles. */
    long slotBytes() {
        return Math.ceilDiv(regionAt(parts().size()), PAGE) * PAGE;
    }

    /** Where in a slot the matrix of an index of {@link #parts} begins, or, after the last, where all end. */
    long regionAt(int index) {
        long at = 0;
        for (Part part : parts().subList(0, index)) {
            at += Math.ceilDiv(part.matrix.packedBytes(), ALIGNMENT) * ALIGNMENT + SEGMENTS * ALIGNMENT;
        }
        return at;
    }

    /** Two experts of the same layout leave the same bytes of a slot unwritten. */
    String layout() {
        StringBuilder layout = new StringBuilder();
        for (Part part : parts()) {
            StoredMatrix matrix = part.matrix;
            layout.append(matrix.format())
                    .append('(')
                    .append(matrix.rows())
                    .append(',')
                    .append(matrix.cols())
                    .append(')')
                    .append(matrix.packedBytes())
                    .append(';');
        }
        return layout.toString();
    }

    /** Its shapes and bytes, for accounts; it multiplies nothing. */
    public SwiGlu outline() {
        return new SwiGlu(WeightOutline.of(gate.matrix), WeightOutline.of(up.matrix), WeightOutline.of(down.matrix));
    }

    @Override
    public String toString() {
        return "layer " + layer + ", expert " + expert;
    }
}
