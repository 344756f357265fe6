package dev.remora.core.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file of the file system, read past the page cache where system and file system offer that. */
final class ChannelFile implements CheckpointFile {
    private static final long MAX_BLOCK = 1 << 20;

    private final FileChannel channel;
    private final int alignment;

    private ChannelFile(FileChannel channel, int alignment) {
        this.channel = channel;
        this.alignment = alignment;
    }

    static ChannelFile open(Path file) throws IOException {
        ChannelFile direct = direct(file);
        return direct == null ? new ChannelFile(FileChannel.open(file, StandardOpenOption.READ), 1) : direct;
    }

    /** Null if it cannot be. Some file systems open a file so and refuse to read it, hence the trial. */
    private static ChannelFile direct(Path file) {
        FileChannel channel = null;
        try {
            long block = Files.getFileStore(file).getBlockSize();
            if (block <= 0 || block > MAX_BLOCK || Long.bitCount(block) != 1) {
                return null;
            }
            channel = FileChannel.open(file, StandardOpenOption.READ, directOption());
            ChannelFile direct = new ChannelFile(channel, (int) block);
            try (Arena arena = Arena.ofConfined()) {
                direct.read(0, arena.allocate(block, block));
            }
            return direct;
        } catch (IOException | UnsupportedOperationException | ReflectiveOperationException e) {
            closeQuietly(channel);
            return null;
        }
    }

    /** ExtendedOpenOption.DIRECT of the module jdk.unsupported, by name: a runtime may lack it, and javac warns of it. */
    private static OpenOption directOption() throws ReflectiveOperationException {
        return (OpenOption) Class.forName("com.sun.nio.file.ExtendedOpenOption")
                .getField("DIRECT")
                .get(null);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int alignment() {
        return alignment;
    }

    @Override
    public int read(long position, MemorySegment target) throws IOException {
        ByteBuffer buffer = target.asByteBuffer();
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, position + buffer.position());
            if (count < 0) {
                break;
            }
            int odd = buffer.position() % alignment;
            if (odd != 0) {
                // The file ends within a block; or a signal cut the read short, and the block is read again.
                if (position + buffer.position() >= channel.size()) {
                    break;
                }
                buffer.position(buffer.position() - odd);
            }
        }
        return buffer.position();
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }
}
