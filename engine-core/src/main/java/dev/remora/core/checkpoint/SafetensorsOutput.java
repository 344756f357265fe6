package dev.remora.core.checkpoint;

import dev.remora.core.RemoraException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a safetensors file of which all tensors are known beforehand, in pieces of any order and from several threads;
 * the threads must not be interrupted, which would close the file under the others. It appears under its name at once, so
 * write into a folder that nobody reads yet. {@link SafetensorsWriter} streams one file by itself.
 */
public final class SafetensorsOutput implements AutoCloseable {
    private final Path file;
    private final List<TensorSpec> tensors;
    private final SafetensorsHeader header;
    private final FileChannel channel;
    private final AtomicLong missing;

    /**
     * Creates the file and writes its header.
     *
     * @param alignment the data begins at a multiple of this in the file
     * @throws RemoraException if it exists or cannot be written
     */
    public SafetensorsOutput(Path file, List<TensorSpec> tensors, int alignment) {
        this.file = file;
        this.tensors = List.copyOf(tensors);
        header = new SafetensorsHeader(tensors, alignment);
        missing = new AtomicLong(header.fileBytes() - header.bytes().remaining());
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            write(0, header.bytes());
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Writes a part of a tensor, which must not be written twice.
     *
     * @param tensor its place in the list of tensors
     * @param at     of the first byte within the tensor
     * @param bytes  as stored, little-endian; at most 2^31 - 1
     * @return true for the call that completes the file
     */
    public boolean write(int tensor, long at, MemorySegment bytes) {
        long size = bytes.byteSize();
        if (at < 0 || size > tensors.get(tensor).byteSize() - at) {
            throw new IllegalArgumentException("tensor " + tensors.get(tensor) + ": " + size + " bytes at " + at);
        }
        try {
            write(header.offset(tensor) + at, bytes.asByteBuffer());
        } catch (IOException e) {
            throw failed(e);
        }
        return size > 0 && missing.addAndGet(-size) == 0;
    }

    private void write(long at, ByteBuffer bytes) throws IOException {
        for (long next = at; bytes.hasRemaining(); ) {
            next += channel.write(bytes, next);
        }
    }

    /**
     * Makes sure that the file has reached the disk, and closes it.
     *
     * @throws IllegalStateException if data is missing
     */
    public void finish() {
        if (missing.get() != 0) {
            throw new IllegalStateException(file + ": lacks " + missing.get() + " bytes");
        }
        try {
            channel.force(true);
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Closes the file, whatever it lacks. A second call does nothing. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private RemoraException failed(IOException e) {
        return new RemoraException(
                file + ": cannot be written: " + e.getMessage() + ". Is there room, and permission to write?", e);
    }
}
