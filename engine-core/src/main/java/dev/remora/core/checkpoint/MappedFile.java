package dev.remora.core.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A file of a source that can only map: reads copy from the mapping, which is memory where the source has no files. */
final class MappedFile implements CheckpointFile {
    private final Arena arena;
    private final MemorySegment content;

    @SuppressWarnings("MustBeClosedChecker") // the arena becomes the file's own
    MappedFile(CheckpointSource source, String name) {
        arena = Arena.ofShared();
        try {
            content = source.map(name, arena);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public int alignment() {
        return 1;
    }

    @Override
    public int read(long position, MemorySegment target) {
        long count = Math.clamp(content.byteSize() - position, 0, target.byteSize());
        MemorySegment.copy(content, Math.min(position, content.byteSize()), target, 0, count);
        return Math.toIntExact(count);
    }

    @Override
    public void close() {
        arena.close();
    }
}
