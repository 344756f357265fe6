package dev.remora.models.synthetic;

import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.SafetensorsWriter;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.json.JsonWriter;
import dev.remora.models.LoadProgress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Writes a checkpoint to a folder, whole or not at all. Everything is written to a hidden folder within first; then the
 * files move to their places, config.json last, without which the folder is no checkpoint.
 */
final class CheckpointFolder {
    /** As Hugging Face cuts them. */
    private static final long SHARD_BYTES = 5_000_000_000L;

    /** Headers, config and tokenizer, generously. */
    private static final long SMALL_FILES = 64L << 20;

    private static final int CHUNK = 1 << 24;
    private static final String CONFIG = "config.json";

    private final Path folder;
    private final long shardBytes;

    CheckpointFolder(Path folder) {
        this(folder, SHARD_BYTES);
    }

    /** @param shardBytes of tensors in one file, unless a tensor alone has more */
    CheckpointFolder(Path folder, long shardBytes) {
        this.folder = folder;
        this.shardBytes = shardBytes;
    }

    /** Copies the source's small files and tensors. */
    void save(CheckpointSource source, Consumer<LoadProgress> progress) {
        boolean existed = Files.exists(folder);
        requireEmpty();
        Path partial = folder.resolve(".partial-" + UUID.randomUUID());
        List<Path> moved = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            Files.createDirectories(folder);
            long free = Files.getFileStore(folder).getUsableSpace();
            requireSpace(folder, checkpoint.byteSize() + SMALL_FILES, free);
            Files.createDirectory(partial);
            List<Path> files = new ArrayList<>(writeTensors(checkpoint, partial, progress));
            for (String name : source.names()) {
                if (!name.endsWith(".safetensors") && !name.equals(CONFIG)) {
                    files.add(Files.write(partial.resolve(name), source.read(name)));
                }
            }
            files.add(Files.write(partial.resolve(CONFIG), source.read(CONFIG)));
            for (Path file : files) {
                Path target = folder.resolve(file.getFileName());
                moved.add(Files.move(file, target, StandardCopyOption.ATOMIC_MOVE));
            }
            Files.delete(partial);
        } catch (IOException e) {
            RemoraException failure = new RemoraException(folder + ": cannot be written: " + reason(e), e);
            clear(existed, partial, moved, failure);
            throw failure;
        } catch (RuntimeException | Error e) {
            clear(existed, partial, moved, e);
            throw e;
        }
    }

    private void requireEmpty() {
        if (!Files.exists(folder)) {
            return;
        }
        if (!Files.isDirectory(folder)) {
            throw new RemoraException(folder + ": expected a new or empty folder, found a file");
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                throw new RemoraException(folder + ": expected a new or empty folder, found " + entry.getFileName()
                        + " in it; nothing is overwritten. Name another folder, or empty this one");
            }
        } catch (IOException e) {
            throw new RemoraException(folder + ": cannot be read: " + reason(e), e);
        }
    }

    static void requireSpace(Path folder, long bytes, long free) {
        if (bytes > free) {
            throw new RemoraException(String.format(
                    Locale.ROOT,
                    "%s: expected %.2f GB of free disk space, found %.2f GB; choose fewer layers or experts, or another"
                            + " disk",
                    folder,
                    bytes / 1e9,
                    free / 1e9));
        }
    }

    private List<Path> writeTensors(Checkpoint checkpoint, Path partial, Consumer<LoadProgress> progress)
            throws IOException {
        List<List<Tensor>> shards = shards(checkpoint);
        long total = checkpoint.byteSize();
        long[] done = {0};
        progress.accept(new LoadProgress(0, total, "saving weights"));
        List<Path> files = new ArrayList<>();
        Map<String, Object> weightMap = new LinkedHashMap<>();
        for (List<Tensor> shard : shards) {
            String name = shards.size() == 1
                    ? "model.safetensors"
                    : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", files.size() + 1, shards.size());
            shard.forEach(tensor -> weightMap.put(tensor.name(), name));
            files.add(partial.resolve(name));
            writeShard(partial.resolve(name), shard, bytes -> {
                done[0] += bytes;
                progress.accept(new LoadProgress(done[0], total, "saving weights"));
            });
        }
        if (shards.size() > 1) {
            Map<String, Object> index = new LinkedHashMap<>();
            index.put("metadata", Map.of("total_size", total));
            index.put("weight_map", weightMap);
            Path file = partial.resolve("model.safetensors.index.json");
            files.add(Files.write(file, JsonWriter.write(index).getBytes(StandardCharsets.UTF_8)));
        }
        return files;
    }

    private List<List<Tensor>> shards(Checkpoint checkpoint) {
        List<List<Tensor>> shards = new ArrayList<>();
        long bytes = 0;
        for (Tensor tensor : checkpoint.tensors()) {
            long size = tensor.data().byteSize();
            if (shards.isEmpty() || bytes + size > shardBytes) {
                shards.add(new ArrayList<>());
                bytes = 0;
            }
            shards.getLast().add(tensor);
            bytes += size;
        }
        return shards;
    }

    private static void writeShard(Path file, List<Tensor> tensors, LongConsumer written) {
        try (SafetensorsWriter out = new SafetensorsWriter(file)) {
            for (Tensor tensor : tensors) {
                out.declare(tensor.name(), tensor.dtype(), tensor.shape());
            }
            for (Tensor tensor : tensors) {
                long size = tensor.data().byteSize();
                for (long at = 0; at < size; at += CHUNK) {
                    long count = Math.min(CHUNK, size - at);
                    out.append(tensor.name(), tensor.data().asSlice(at, count));
                    written.accept(count);
                }
            }
            out.finish();
        }
    }

    /** Removes what was written, the folder too if it is new; a failure to do so must not hide the first one. */
    private void clear(boolean existed, Path partial, List<Path> moved, Throwable failure) {
        try {
            for (Path file : moved) {
                Files.delete(file);
            }
            if (Files.isDirectory(partial)) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(partial)) {
                    for (Path file : files) {
                        Files.delete(file);
                    }
                }
                Files.delete(partial);
            }
            if (!existed) {
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private static String reason(IOException e) {
        return e.getMessage() == null
                ? e.getClass().getSimpleName()
                : e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
