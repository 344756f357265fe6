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
    static final long ALIGNMENT = 64;

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

        /** Bytes of memory that it takes in tiles, at most. */
        long slotBytes() {
            return Math.ceilDiv(matrix.packedBytes(), ALIGNMENT) * ALIGNMENT + SEGMENTS * ALIGNMENT;
        }

        /** Two matrices of the same layout leave the same bytes of their memory unwritten. */
        String layout() {
            return matrix.format() + " (" + matrix.rows() + ", " + matrix.cols() + ") " + matrix.packedBytes();
        }
    }

    List<Part> parts() {
        return List.of(gate, up, down);
    }

    /** Bytes of its elements in the files. */
    public long storedBytes() {
        return gate.bytes() + up.bytes() + down.bytes();
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
