package dev.remora.models.experts;

import dev.remora.core.checkpoint.CheckpointFile;
import dev.remora.core.checkpoint.CheckpointSource;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** The open files that hold experts. Safe to share between threads. */
final class ExpertFiles implements AutoCloseable {
    private final CheckpointSource source;
    private final Map<String, CheckpointFile> files = new LinkedHashMap<>();

    /** @throws dev.remora.core.CheckpointException if one cannot be opened */
    ExpertFiles(CheckpointSource source, Collection<String> names) {
        this.source = source;
        try {
            for (String name : names) {
                files.put(name, source.open(name));
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    CheckpointFile get(String name) {
        return files.get(name);
    }

    /** The file as messages name it. */
    String describe(String name) {
        return source.describe(name);
    }

    /** True if every file is read past the page cache. */
    boolean direct() {
        return files.values().stream().allMatch(file -> file.alignment() > 1);
    }

    /** What positions, lengths and addresses of reads from all files may be multiples of. */
    int alignment() {
        return files.values().stream().mapToInt(CheckpointFile::alignment).max().orElse(1);
    }

    /** No read may be running. */
    @Override
    public void close() {
        files.values().forEach(CheckpointFile::close);
        files.clear();
    }
}
