package dev.remora.models;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.SafetensorsWriter;
import java.nio.file.Path;

/**
 * Writes rows of logits to a safetensors file as they come: one tensor {@code logits}, (rows, vocabSize), F32. The file
 * appears under its name only with {@link #finish}; closed earlier, nothing remains.
 */
public final class LogitsFile implements LogitsConsumer, AutoCloseable {
    private static final String TENSOR = "logits";

    private final SafetensorsWriter out;

    /**
     * Prepares to write {@code file}.
     *
     * @throws CheckpointException if it cannot be written
     */
    public LogitsFile(Path file, int rows, int vocabSize) {
        out = new SafetensorsWriter(file);
        out.declare(TENSOR, DType.F32, rows, vocabSize);
    }

    @Override
    public void accept(int index, float[] logits) {
        out.append(TENSOR, logits, 0, logits.length);
    }

    /** Completes the file. */
    public void finish() {
        out.finish();
    }

    @Override
    public void close() {
        out.close();
    }
}
