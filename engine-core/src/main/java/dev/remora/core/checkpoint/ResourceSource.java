package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLConnection;
import java.util.List;

/** Resources of the class path, copied into aligned native memory where they must be mapped. */
final class ResourceSource implements CheckpointSource {
    private static final long ALIGNMENT = 64;

    private final ClassLoader loader;
    private final String prefix;

    ResourceSource(ClassLoader loader, String prefix) {
        this.loader = loader;
        this.prefix = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
    }

    @Override
    public boolean exists(String name) {
        return loader.getResource(path(name)) != null;
    }

    @Override
    public byte[] read(String name) {
        try (InputStream in = connect(name).getInputStream()) {
            byte[] bytes = in.readNBytes((int) FolderSource.MAX_READ + 1);
            if (bytes.length > FolderSource.MAX_READ) {
                throw new CheckpointException(
                        describe(name) + ": expected at most " + FolderSource.MAX_READ + " bytes, found more.");
            }
            return bytes;
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    @Override
    public MemorySegment map(String name, Arena arena) {
        try {
            URLConnection connection = connect(name);
            long size = connection.getContentLengthLong();
            try (InputStream in = connection.getInputStream()) {
                if (size < 0) {
                    byte[] bytes = in.readAllBytes();
                    MemorySegment copy = arena.allocate(bytes.length, ALIGNMENT);
                    MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
                    return copy.asReadOnly();
                }
                MemorySegment copy = arena.allocate(size, ALIGNMENT);
                fill(copy, in, name);
                return copy.asReadOnly();
            }
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    private void fill(MemorySegment target, InputStream in, String name) throws IOException {
        byte[] chunk = new byte[1 << 16];
        long at = 0;
        for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
            if (n > target.byteSize() - at) {
                throw new CheckpointException(
                        describe(name) + ": longer than the " + target.byteSize() + " bytes stated");
            }
            MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, at, n);
            at += n;
        }
        if (at != target.byteSize()) {
            throw new CheckpointException(describe(name) + ": expected " + target.byteSize() + " bytes, found " + at
                    + ". The jar is damaged.");
        }
    }

    @Override
    public String describe(String name) {
        return path(name) + " on the class path";
    }

    @Override
    public String describe() {
        return prefix + " on the class path";
    }

    @Override
    public List<String> names() {
        return List.of();
    }

    private String path(String name) {
        return prefix + FileNames.check(name, prefix);
    }

    /** Without a cache: a cached connection would keep the jar open for the life of the process. */
    private URLConnection connect(String name) throws IOException {
        URL url = loader.getResource(path(name));
        if (url == null) {
            throw new CheckpointException(
                    describe(name) + ": no such resource. Add the artifact that bundles this model to the class path.");
        }
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return connection;
    }

    private CheckpointException unreadable(String name, IOException e) {
        return new CheckpointException(describe(name) + ": cannot be read: " + e.getMessage(), e);
    }
}
