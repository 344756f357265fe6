package dev.remora.models.saving;

import dev.remora.core.checkpoint.TensorSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** One or a few tensors of a new checkpoint that are made together, in pieces. */
public interface Part {
    /** What it makes. */
    List<TensorSpec> tensors();

    /** Into how many pieces the work is cut. */
    int pieces();

    /** Makes a piece. Pieces may be made in any order and on any thread, several at a time. */
    void make(int piece, Sink sink);

    /** Takes the bytes of a piece. */
    interface Sink {
        /**
         * Takes a part of a tensor, once.
         *
         * @param tensor its place in {@link Part#tensors}
         * @param at     of the first byte within the tensor
         * @param bytes  as stored
         */
        void put(int tensor, long at, MemorySegment bytes);
    }
}
