package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the files of a checkpoint live. File names are plain: no folders. Every failure is a {@link
 * CheckpointException} that names the file and the cure.
 */
public interface CheckpointSource {
    /**
     * A folder of the file system.
     *
     * @throws CheckpointException if it does not exist, is a file, is empty or cannot be listed
     */
    static CheckpointSource ofFolder(Path folder) {
        return new FolderSource(folder);
    }

    /**
     * Resources of the class path, for example a model bundled in a jar. Each is read once into memory aligned to 64
     * bytes; nothing is extracted to disk.
     *
     * @param loader finds the resources
     * @param prefix their common path, for example {@code META-INF/remora/remora-tiny/}
     */
    static CheckpointSource ofResources(ClassLoader loader, String prefix) {
        return new ResourceSource(loader, prefix);
    }

    /** True if there is a file of this name. */
    boolean exists(String name);

    /** The whole content of a small file (JSON, tokenizer); at most 256 MiB. */
    byte[] read(String name);

    /**
     * The whole content of a file of any size, read-only.
     *
     * @param arena how long the memory stays; shared, if several threads are to read it
     */
    MemorySegment map(String name, Arena arena);

    /**
     * Opens a file of any size for reads at any position. A source without files keeps the whole content in memory until the
     * file is closed.
     */
    default CheckpointFile open(String name) {
        return new MappedFile(this, name);
    }

    /**
     * The tensors of a safetensors file, in the order of their data. A source that makes tensors answers with them, though
     * they lie in no file.
     *
     * @param file  in this source
     * @param arena how long their data stays; shared, if several threads are to read it
     */
    default List<Tensor> tensors(String file, Arena arena) {
        return Safetensors.read(map(file, arena), describe(file));
    }

    /** The file as messages should name it: its path. It need not exist. */
    String describe(String name);

    /** The whole source as messages should name it. */
    String describe();

    /** The names of the files here, sorted; empty where they cannot be listed (the class path). */
    List<String> names();
}
