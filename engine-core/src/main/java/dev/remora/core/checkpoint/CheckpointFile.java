package dev.remora.core.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A file of a checkpoint that is open for reads at any position. Safe to share between threads, which must not be
 * interrupted while they read: an interrupt closes a file for everybody.
 */
public interface CheckpointFile extends AutoCloseable {
    /**
     * Positions, lengths and addresses of reads are multiples of this: the block of a file that is read past the page
     * cache; 1 where anything goes.
     */
    int alignment();

    /**
     * Reads until the target is full or the file ends.
     *
     * @param position of the first byte
     * @param target   native memory of less than 2 GiB, see {@link #alignment}
     * @return bytes read: fewer than asked for only at the end of the file
     * @throws IOException if the system reports one
     */
    int read(long position, MemorySegment target) throws IOException;

    /** No read may be running. */
    @Override
    void close();
}
