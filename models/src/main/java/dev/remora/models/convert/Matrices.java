package dev.remora.models.convert;

import dev.remora.core.StoredMatrix;
import dev.remora.core.checkpoint.CheckpointScope;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.models.weights.WeightReaders;
import java.util.ArrayList;
import java.util.List;

/** Rows of a tensor of the old checkpoint that become a tensor of the new one: of a matrix, or of each matrix of a stack. */
final class Matrices {
    private final WeightReaders readers;
    private final CheckpointScope root;
    private final Tensor tensor;
    private final String name;
    /** The only matrix taken, or -1: all. */
    private final int index;

    private final int firstRow;
    private final int rows;

    private Matrices(
            WeightReaders readers,
            CheckpointScope root,
            Tensor tensor,
            String name,
            int index,
            int firstRow,
            int rows) {
        this.readers = readers;
        this.root = root;
        this.tensor = tensor;
        this.name = name;
        this.index = index;
        this.firstRow = firstRow;
        this.rows = rows;
    }

    /** All of a tensor of two or three dimensions. */
    static Matrices of(WeightReaders readers, CheckpointScope root, Tensor tensor) {
        int rows = Math.toIntExact(tensor.dim(tensor.rank() - 2));
        return new Matrices(readers, root, tensor, tensor.name(), -1, 0, rows);
    }

    /** Rows of one matrix of a stack, under a name of their own. */
    Matrices slice(String newName, int newIndex, int from, int count) {
        return new Matrices(readers, root, tensor, newName, newIndex, from, count);
    }

    String name() {
        return name;
    }

    Tensor tensor() {
        return tensor;
    }

    int index() {
        return index;
    }

    int firstRow() {
        return firstRow;
    }

    int rows() {
        return rows;
    }

    int cols() {
        return Math.toIntExact(tensor.dim(tensor.rank() - 1));
    }

    /** How many matrices there are. */
    int count() {
        return tensor.rank() == 3 && index < 0 ? Math.toIntExact(tensor.dim(0)) : 1;
    }

    /** Matrix {@code i} of {@link #count()}, with its scales if it has any. */
    StoredMatrix matrix(int i) {
        int allRows = Math.toIntExact(tensor.dim(tensor.rank() - 2));
        StoredMatrix whole = tensor.rank() == 2
                ? readers.matrix(root, tensor.name(), "", allRows, cols())
                : readers.matrixOfStack(
                        root, tensor.name(), "", Math.toIntExact(tensor.dim(0)), Math.max(index, i), allRows, cols());
        return whole.rows(firstRow, rows);
    }

    /** The new tensor: as many matrices of so many rows and columns. */
    TensorSpec spec(String newName, DType dtype, long newRows, long newCols) {
        List<Long> shape = new ArrayList<>(List.of(newRows, newCols));
        if (tensor.rank() == 3 && index < 0) {
            shape.addFirst(tensor.dim(0));
        }
        return new TensorSpec(newName, dtype, shape);
    }
}
