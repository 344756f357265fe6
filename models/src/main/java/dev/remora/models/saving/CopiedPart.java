package dev.remora.models.saving;

import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.checkpoint.TensorSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A tensor whose bytes are there already. */
public final class CopiedPart implements Part {
    private static final long PIECE = 1L << 23;

    private final TensorSpec tensor;
    private final MemorySegment data;

    /** @param data of the size that the tensor asks for; it may be of a thread of its own only if one thread writes */
    public CopiedPart(TensorSpec tensor, MemorySegment data) {
        if (data.byteSize() != tensor.byteSize()) {
            throw new IllegalArgumentException(tensor + ": found " + data.byteSize() + " bytes");
        }
        this.tensor = tensor;
        this.data = data;
    }

    /** The same tensor in another checkpoint. */
    public static CopiedPart of(Tensor tensor) {
        return new CopiedPart(TensorSpec.of(tensor.name(), tensor.dtype(), tensor.shape()), tensor.data());
    }

    /** The bytes. */
    public MemorySegment data() {
        return data;
    }

    @Override
    public List<TensorSpec> tensors() {
        return List.of(tensor);
    }

    @Override
    public int pieces() {
        return Math.toIntExact(Math.ceilDiv(data.byteSize(), PIECE));
    }

    @Override
    public void make(int piece, Sink sink) {
        long at = piece * PIECE;
        sink.put(0, at, data.asSlice(at, Math.min(PIECE, data.byteSize() - at)));
    }
}
