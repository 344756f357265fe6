package dev.remora.core.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * One tensor of a checkpoint: a name, a shape and a view of the file's bytes. Immutable; the data is valid until the
 * {@link Checkpoint} is closed.
 */
public final class Tensor {
    private final String name;
    private final DType dtype;
    private final long[] shape;
    private final MemorySegment data;
    private final String file;
    private final long fileOffset;

    /** @param fileOffset of its first byte; -1 if it lies in no file */
    Tensor(String name, DType dtype, long[] shape, MemorySegment data, String file, long fileOffset) {
        this.name = name;
        this.dtype = dtype;
        this.shape = shape;
        this.data = data;
        this.file = file;
        this.fileOffset = fileOffset;
    }

    /**
     * A tensor that lies anywhere.
     *
     * @param shape outermost dimension first
     * @param data  row-major, little-endian
     * @param file  what error messages name as its place
     * @throws IllegalArgumentException if the data is not of the size that dtype and shape ask for
     */
    public static Tensor of(String name, DType dtype, long[] shape, MemorySegment data, String file) {
        long bytes = Safetensors.byteSize(dtype, shape);
        if (data.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    name + ": " + data.byteSize() + " bytes for " + dtype + " " + text(shape));
        }
        return new Tensor(name, dtype, shape.clone(), data.asReadOnly(), file, -1);
    }

    public String name() {
        return name;
    }

    public DType dtype() {
        return dtype;
    }

    /** A copy of the shape, outermost dimension first; empty for a scalar. */
    public long[] shape() {
        return shape.clone();
    }

    /** Number of dimensions. */
    public int rank() {
        return shape.length;
    }

    /** Size of dimension {@code i}, 0 being the outermost. */
    public long dim(int i) {
        return shape[i];
    }

    /** Product of the shape; 1 for a scalar. May exceed 2^31. */
    public long elements() {
        return data.byteSize() / dtype.byteSize();
    }

    /**
     * Exactly {@code elements() * dtype().byteSize()} bytes, row-major, little-endian, read-only. Not aligned in
     * general: safetensors data begins after a header of any length, so read it with the {@code _UNALIGNED} layouts.
     */
    public MemorySegment data() {
        return data;
    }

    /** The file that holds it, as error messages name it. */
    public String file() {
        return file;
    }

    /** Where its data begins in that file, in bytes; -1 if it lies in no file, as tensors do that a source makes. */
    public long fileOffset() {
        return fileOffset;
    }

    /** True if the shape is exactly this one. */
    public boolean hasShape(long... expected) {
        return Arrays.equals(shape, expected);
    }

    /** For example {@code lm_head.weight: BF16 (129280, 7168) in /models/v3/model-00163-of-000163.safetensors}. */
    @Override
    public String toString() {
        return name + ": " + dtype + " " + text(shape) + " in " + file;
    }

    /** A shape as messages print it, for example {@code (512, 7168)}. */
    static String text(long[] shape) {
        return Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", ", "(", ")"));
    }
}
