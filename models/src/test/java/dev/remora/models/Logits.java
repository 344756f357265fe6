package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.core.CacheFormat;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Logits of all positions, through the public door, and their comparison. */
final class Logits {
    /** Of a golden: largest difference of a logit, of the largest logit. */
    static final double TOLERANCE = 2e-4;

    static final LoadOptions EXACT =
            LoadOptions.defaults().withThreads(2).withContextLength(512).withCacheFormat(CacheFormat.F32);

    private Logits() {}

    static List<float[]> of(Path folder, int[] ids) {
        try (Llm llm = Llm.load(folder, EXACT)) {
            return of(llm, ids);
        }
    }

    static List<float[]> of(Llm llm, int[] ids) {
        VectorKernels.await();
        List<float[]> rows = new ArrayList<>();
        try (Session session = llm.session()) {
            session.score(ids, (index, row) -> rows.add(row.clone()));
        }
        return rows;
    }

    /** The largest difference, of the largest expected logit; NaN if a logit is. */
    static double difference(List<float[]> expected, List<float[]> actual) {
        return Collections.max(differences(expected, actual));
    }

    /** The largest difference of each row, of the largest expected logit of all; NaN if a logit is, which counts as largest. */
    static List<Double> differences(List<float[]> expected, List<float[]> actual) {
        assertEquals(expected.size(), actual.size(), "rows");
        double largest = 0;
        for (float[] row : expected) {
            for (float value : row) {
                largest = Math.max(largest, Math.abs(value));
            }
        }
        List<Double> differences = new ArrayList<>();
        for (int row = 0; row < expected.size(); row++) {
            assertEquals(expected.get(row).length, actual.get(row).length, "logits of row " + row);
            double worst = 0;
            for (int i = 0; i < expected.get(row).length; i++) {
                // Math.max keeps NaN, which no comparison would.
                worst = Math.max(worst, Math.abs(expected.get(row)[i] - (double) actual.get(row)[i]));
            }
            differences.add(worst / largest);
        }
        return differences;
    }

    /** A tensor of integers in a file of goldens. */
    static int[] ints(CheckpointSource source, String name) {
        try (Checkpoint golden = Checkpoint.openFile(source, "golden.safetensors")) {
            Tensor tensor = golden.tensor(name);
            return tensor.data().toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
        }
    }

    /** The rows of a matrix in a file of goldens. */
    static List<float[]> rows(CheckpointSource source, String name) {
        try (Checkpoint golden = Checkpoint.openFile(source, "golden.safetensors")) {
            Tensor tensor = golden.tensor(name);
            long rowBytes = tensor.data().byteSize() / tensor.dim(0);
            List<float[]> rows = new ArrayList<>();
            for (int row = 0; row < tensor.dim(0); row++) {
                MemorySegment data = tensor.data().asSlice(row * rowBytes, rowBytes);
                rows.add(data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)));
            }
            return rows;
        }
    }
}
