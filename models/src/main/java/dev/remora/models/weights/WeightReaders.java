package dev.remora.models.weights;

import dev.remora.core.Activations;
import dev.remora.core.CheckpointException;
import dev.remora.core.StoredMatrix;
import dev.remora.core.checkpoint.CheckpointScope;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import dev.remora.fp8.BlockScales;
import dev.remora.fp8.Fp8Inputs;
import dev.remora.fp8.Fp8Matrix;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * Reads tensors as matrices, vectors and stacks of matrices. The format is decided tensor by tensor, from its dtype; the
 * only class that knows every format.
 */
public final class WeightReaders {
    private static final String SCALE_SUFFIX = "_scale_inv";
    private static final String MATRIX = "F32, BF16, F16 or F8_E4M3";
    private static final String VECTOR = "F32, BF16 or F16";
    private static final Map<DType, DenseFormat> DENSE =
            Map.of(DType.F32, DenseFormat.F32, DType.BF16, DenseFormat.BF16, DType.F16, DenseFormat.F16);

    private final BlockSize blockSize;
    private final Activations activations;
    private int roundedInputs;

    /** Rows and columns of the blocks of {@code quantization_config}; null where the model has none. */
    public record BlockSize(int rows, int cols) {}

    /**
     * @param blockSize   of FP8 tensors, or null
     * @param activations what the inputs of FP8 matrices are rounded to
     */
    public WeightReaders(BlockSize blockSize, Activations activations) {
        this.blockSize = blockSize;
        this.activations = activations;
    }

    /** Number of matrices read so far whose input is rounded. */
    public int roundedInputs() {
        return roundedInputs;
    }

    /**
     * The matrix {@code name.weight}, or {@code name} if its last part says so already.
     *
     * @param formula where the shape comes from, in keys of config.json
     */
    public StoredMatrix matrix(CheckpointScope scope, String name, String formula, int rows, int cols) {
        Tensor tensor = scope.expect(name, formula, rows, cols);
        if (tensor.dtype() != DType.F8_E4M3) {
            return new DenseMatrix(tensor.name(), denseFormat(tensor, MATRIX), tensor.data(), rows, cols);
        }
        BlockSize block = requireBlockSize(tensor);
        Tensor scales = scales(scope, name, Math.ceilDiv(rows, block.rows), Math.ceilDiv(cols, block.cols));
        return fp8(tensor.name(), tensor.data(), scales, scales.data(), rows, cols);
    }

    /** Matrix {@code index} of the stack {@code name}, (count, rows, cols), as fused experts are stored. */
    public StoredMatrix matrixOfStack(
            CheckpointScope scope, String name, String formula, int count, int index, int rows, int cols) {
        Tensor tensor = scope.expect(name, formula, count, rows, cols);
        String place = tensor.name() + "[" + index + "]";
        if (tensor.dtype() != DType.F8_E4M3) {
            DenseFormat format = denseFormat(tensor, MATRIX);
            MemorySegment data = part(tensor.data(), count, index);
            return new DenseMatrix(place, format, data, rows, cols);
        }
        BlockSize block = requireBlockSize(tensor);
        Tensor scales = scales(scope, name, count, Math.ceilDiv(rows, block.rows), Math.ceilDiv(cols, block.cols));
        return fp8(place, part(tensor.data(), count, index), scales, part(scales.data(), count, index), rows, cols);
    }

    /** A vector as f32: a norm, a bias. */
    public static float[] vector(CheckpointScope scope, String name, String formula, int length) {
        Tensor tensor = scope.expect(name, formula, length);
        float[] values = floats(tensor, tensor.data());
        for (int i = 0; i < length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new CheckpointException(tensor.name() + ": expected finite numbers, found " + values[i] + " at "
                        + i + " in " + tensor.file() + "; the file is damaged or was saved from a broken model");
            }
        }
        return values;
    }

    private StoredMatrix fp8(
            String name, MemorySegment data, Tensor scales, MemorySegment factors, int rows, int cols) {
        BlockScales blocks =
                new BlockScales(scales.name(), floats(scales, factors), blockSize.rows, blockSize.cols, rows, cols);
        Fp8Matrix matrix = new Fp8Matrix(name, data, blocks, rows, cols);
        if (activations == Activations.F32) {
            return matrix;
        }
        roundedInputs++;
        return new Fp8Inputs(matrix);
    }

    private static Tensor scales(CheckpointScope scope, String name, long... shape) {
        if (!scope.has(name + SCALE_SUFFIX)) {
            throw new CheckpointException(scope.fullName(name) + ": is stored as F8_E4M3, which needs "
                    + scope.fullName(name + SCALE_SUFFIX) + ", found no such tensor; without its scales the numbers are"
                    + " meaningless. Download the checkpoint again, or use a BF16 one");
        }
        return scope.expect(name + SCALE_SUFFIX, "one scale for each block of weight_block_size", shape);
    }

    private BlockSize requireBlockSize(Tensor tensor) {
        if (blockSize == null) {
            throw new CheckpointException(tensor.name() + ": is stored as F8_E4M3, but config.json has no"
                    + " quantization_config.weight_block_size that says what its scales cover. Are config.json and the"
                    + " weights from the same revision?");
        }
        return blockSize;
    }

    private static DenseFormat denseFormat(Tensor tensor, String expected) {
        DenseFormat format = DENSE.get(tensor.dtype());
        if (format == null) {
            throw new CheckpointException(tensor.name() + ": expected " + expected + ", found " + tensor.dtype()
                    + " in " + tensor.file() + ". Take another edition of the checkpoint, or convert this one to BF16");
        }
        return format;
    }

    private static MemorySegment part(MemorySegment stack, int count, int index) {
        long bytes = stack.byteSize() / count;
        return stack.asSlice(index * bytes, bytes);
    }

    private static float[] floats(Tensor tensor, MemorySegment part) {
        DenseFormat format = denseFormat(tensor, VECTOR);
        float[] values = new float[Math.toIntExact(part.byteSize() / format.elementBytes())];
        for (int i = 0; i < values.length; i++) {
            values[i] = format.decode(part, (long) i * format.elementBytes());
        }
        return values;
    }
}
