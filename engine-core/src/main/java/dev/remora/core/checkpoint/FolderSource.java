package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** A folder of the file system; big files are mapped. */
final class FolderSource implements CheckpointSource {
    static final long MAX_READ = 256L << 20;
    private static final String CONTENTS =
            " A checkpoint folder holds config.json, tokenizer.json (or tiktoken.model) and"
                    + " model.safetensors, or model.safetensors.index.json with its shards.";

    private final Path folder;
    private final List<String> names;

    FolderSource(Path folder) {
        this.folder = folder;
        if (!Files.exists(folder)) {
            throw new CheckpointException(folder + ": no such folder." + CONTENTS);
        }
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(
                    folder + ": expected a folder, found a file. Name the folder that holds it." + CONTENTS);
        }
        try (Stream<Path> files = Files.list(folder)) {
            names = files.map(f -> f.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new CheckpointException(folder + ": the folder cannot be listed: " + reason(e), e);
        } catch (UncheckedIOException e) {
            throw new CheckpointException(folder + ": the folder cannot be listed: " + reason(e.getCause()), e);
        }
        if (names.isEmpty()) {
            throw new CheckpointException(folder + ": the folder is empty." + CONTENTS);
        }
    }

    @Override
    public boolean exists(String name) {
        return Files.exists(path(name));
    }

    @Override
    public byte[] read(String name) {
        Path file = regular(name);
        try (InputStream in = Files.newInputStream(file)) {
            long size = Files.size(file);
            byte[] bytes = size > MAX_READ ? new byte[0] : in.readNBytes((int) MAX_READ + 1);
            if (size > MAX_READ || bytes.length > MAX_READ) {
                throw new CheckpointException(
                        file + ": expected at most " + MAX_READ + " bytes, found " + Math.max(size, bytes.length)
                                + ". This file should be small; the folder may hold another file under its name.");
            }
            return bytes;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    @Override
    public MemorySegment map(String name, Arena arena) {
        Path file = regular(name);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    @Override
    public CheckpointFile open(String name) {
        Path file = regular(name);
        try {
            return ChannelFile.open(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    @Override
    public String describe(String name) {
        return path(name).toString();
    }

    @Override
    public String describe() {
        return folder.toString();
    }

    @Override
    public List<String> names() {
        return names;
    }

    private Path path(String name) {
        return folder.resolve(FileNames.check(name, folder.toString()));
    }

    /** Opening a pipe would wait for ever and mapping a folder fails with a riddle, so both are refused here. */
    private Path regular(String name) {
        Path file = path(name);
        if (Files.isRegularFile(file)) {
            return file;
        }
        if (Files.exists(file)) {
            throw new CheckpointException(file + ": expected a file, found "
                    + (Files.isDirectory(file) ? "a folder." : "neither a file nor a folder."));
        }
        if (Files.isSymbolicLink(file)) {
            throw new CheckpointException(file + ": a symbolic link to a file that does not exist."
                    + " The download is incomplete: download the checkpoint again.");
        }
        throw new CheckpointException(file + ": no such file. The folder holds " + FileNames.some(names) + ".");
    }

    private static CheckpointException unreadable(Path file, IOException e) {
        return new CheckpointException(file + ": cannot be read: " + reason(e), e);
    }

    /** Java reports some errors by an exception's class alone, with the path as its message. */
    private static String reason(IOException e) {
        return switch (e) {
            case AccessDeniedException a -> "permission denied. Make it readable for this user.";
            case NoSuchFileException n -> "it vanished meanwhile.";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }
}
