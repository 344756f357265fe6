package dev.remora.core.checkpoint;

import java.util.Arrays;
import java.util.List;

/**
 * A tensor as a header names it, without its numbers.
 *
 * @param shape outermost dimension first
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) {
    /**
     * Checks the size.
     *
     * @throws IllegalArgumentException if the name is reserved, or a dimension is negative or the tensor too large
     */
    public TensorSpec {
        shape = List.copyOf(shape);
        boolean negative = shape.stream().anyMatch(size -> size < 0);
        if (name.equals(Safetensors.METADATA) || negative || Safetensors.byteSize(dtype, sizes(shape)) < 0) {
            throw new IllegalArgumentException("tensor " + name + " of shape " + Tensor.text(sizes(shape)));
        }
    }

    /** As the constructor. */
    public static TensorSpec of(String name, DType dtype, long... shape) {
        return new TensorSpec(name, dtype, Arrays.stream(shape).boxed().toList());
    }

    /** Bytes of its numbers. */
    public long byteSize() {
        return Safetensors.byteSize(dtype, sizes(shape));
    }

    /** For example {@code (3, 4)}. */
    String shapeText() {
        return Tensor.text(sizes(shape));
    }

    private static long[] sizes(List<Long> shape) {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }
}
