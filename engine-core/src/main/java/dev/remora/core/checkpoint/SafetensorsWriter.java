package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/**
 * Writes a safetensors file, streaming: declare every tensor, then append their data in the order of declaration, as
 * many rows at a time as suits, then {@link #finish}. The file appears under its name only then; closed earlier,
 * nothing remains. Not thread-safe.
 *
 * <pre>{@code
 * try (SafetensorsWriter out = new SafetensorsWriter(path)) {
 *     out.declare("logits", DType.F32, tokens, vocabSize);
 *     for (float[] row : rows) {
 *         out.append("logits", row, 0, row.length);
 *     }
 *     out.finish();
 * }
 * }</pre>
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;
    /** The header is padded to this, so that data begins aligned for every dtype. */
    private static final int HEADER_ALIGNMENT = 8;

    private final Path target;
    private final Path partial;
    private final List<TensorSpec> declared = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private FileChannel channel;
    private int current;
    private long missing;
    private boolean done;

    /**
     * Prepares to write {@code target}, replacing it at the end if it exists.
     *
     * @throws CheckpointException if its folder does not exist, or it is no ordinary file
     */
    public SafetensorsWriter(Path target) {
        try {
            // A link keeps pointing where it did; and moving a file over a device would destroy the device.
            this.target = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
        } catch (IOException e) {
            throw failed(target, e);
        }
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new CheckpointException(target + ": expected a file to write, found "
                    + (Files.isDirectory(target) ? "a folder." : "a device or pipe."));
        }
        Path folder = Objects.requireNonNull(this.target.getParent());
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(target + ": cannot be written: no folder " + folder + ". Create it first.");
        }
        partial = folder.resolve("." + this.target.getFileName() + "." + UUID.randomUUID() + ".partial");
    }

    /**
     * Declares the next tensor. Declare wide types before narrow ones if readers should find every tensor aligned.
     *
     * @throws IllegalArgumentException if the name was declared before, or a size is negative or too large
     * @throws IllegalStateException if data was appended already
     */
    public SafetensorsWriter declare(String name, DType dtype, long... shape) {
        if (channel != null || done) {
            throw new IllegalStateException("tensor " + name + " declared after the first data");
        }
        if (name.equals(Safetensors.METADATA) || !names.add(name)) {
            throw new IllegalArgumentException("tensor " + name + " declared twice, or a reserved name");
        }
        declared.add(TensorSpec.of(name, dtype, shape));
        return this;
    }

    /** Appends {@code count} values to the tensor {@code name} of dtype F32, row-major. */
    public void append(String name, float[] values, int from, int count) {
        Objects.checkFromIndexSize(from, count, values.length);
        begin(name, DType.F32, (long) count * Float.BYTES);
        for (int i = from; i < from + count; i++) {
            room(Float.BYTES);
            buffer.putFloat(values[i]);
        }
    }

    /** Appends stored bytes, little-endian, to the tensor {@code name} of any dtype. */
    public void append(String name, MemorySegment bytes) {
        begin(name, null, bytes.byteSize());
        for (long at = 0; at < bytes.byteSize(); ) {
            room(1);
            int n = (int) Math.min(buffer.remaining(), bytes.byteSize() - at);
            MemorySegment.copy(bytes, at, MemorySegment.ofBuffer(buffer), 0, n);
            buffer.position(buffer.position() + n);
            at += n;
        }
    }

    /** As {@link #append(String, MemorySegment)}. */
    public void append(String name, byte[] bytes) {
        append(name, MemorySegment.ofArray(bytes));
    }

    /**
     * Completes the file and moves it to its name.
     *
     * @throws IllegalStateException if data of a declared tensor is missing
     */
    public void finish() {
        if (done) {
            throw new IllegalStateException(target + ": finished or closed already");
        }
        open();
        if (current < declared.size()) {
            throw new IllegalStateException(
                    target + ": tensor " + declared.get(current).name() + " lacks " + missing + " bytes");
        }
        try {
            flush();
            channel.force(true);
            channel.close();
            move();
        } catch (IOException e) {
            throw failed(target, e);
        }
        done = true;
    }

    /** Without {@link #finish} before, removes what was written. A second call does nothing. */
    @Override
    public void close() {
        if (done) {
            return;
        }
        done = true;
        try {
            if (channel != null) {
                channel.close();
            }
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            throw failed(partial, e);
        }
    }

    private void begin(String name, DType dtype, long bytes) {
        if (done) {
            throw new IllegalStateException(target + ": finished or closed already");
        }
        open();
        TensorSpec tensor = current < declared.size() ? declared.get(current) : null;
        if (tensor == null || !tensor.name().equals(name)) {
            if (bytes == 0 && names.contains(name)) {
                return;
            }
            throw new IllegalArgumentException(target + ": expected data of "
                    + (tensor == null ? "no further tensor" : "tensor " + tensor.name()) + ", found data of " + name);
        }
        if (dtype != null && tensor.dtype() != dtype) {
            throw new IllegalArgumentException(
                    "tensor " + name + ": declared " + tensor.dtype() + ", appended " + dtype);
        }
        if (bytes > missing) {
            throw new IllegalArgumentException("tensor " + name + ": " + tensor.dtype() + " " + tensor.shapeText()
                    + " lacks " + missing + " bytes, appended " + bytes);
        }
        missing -= bytes;
        if (missing == 0) {
            next(current + 1);
        }
    }

    /** Moves on to the next tensor that has any data. */
    private void next(int from) {
        current = from;
        while (current < declared.size() && declared.get(current).byteSize() == 0) {
            current++;
        }
        missing = current < declared.size() ? declared.get(current).byteSize() : 0;
    }

    private void open() {
        if (channel != null) {
            return;
        }
        SafetensorsHeader header = new SafetensorsHeader(declared, HEADER_ALIGNMENT);
        try {
            channel = FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            write(header.bytes());
        } catch (IOException e) {
            throw failed(target, e);
        }
        next(0);
    }

    private void room(int bytes) {
        if (buffer.remaining() < bytes) {
            try {
                flush();
            } catch (IOException e) {
                throw failed(target, e);
            }
        }
    }

    private void flush() throws IOException {
        buffer.flip();
        write(buffer);
        buffer.clear();
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private void move() throws IOException {
        try {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static CheckpointException failed(Path file, IOException e) {
        return new CheckpointException(
                file + ": cannot be written: " + e.getMessage() + ". Is there room, and permission to write?", e);
    }
}
