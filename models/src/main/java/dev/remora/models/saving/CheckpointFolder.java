package dev.remora.models.saving;

import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.core.json.JsonWriter;
import dev.remora.models.LoadProgress;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** A folder that a new checkpoint is written to, whole or not at all. */
public final class CheckpointFolder {
    /** As Hugging Face cuts them. */
    public static final long SHARD_BYTES = 5_000_000_000L;

    private static final String INDEX = "model.safetensors.index.json";

    private final Path folder;
    private final long shardBytes;

    /**
     * Looks at the folder and changes nothing.
     *
     * @param shardBytes of tensors in one file, unless what must lie together has more
     * @throws RemoraException if there is something in it
     */
    public CheckpointFolder(Path folder, long shardBytes) {
        this.folder = folder;
        this.shardBytes = shardBytes;
        requireEmpty();
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

    /**
     * Writes the checkpoint. Its files appear together, once all are written; if anything fails nothing remains.
     *
     * @param threads  that make pieces, each of which holds a few in memory
     * @param what     is done, for the progress
     * @param progress told the bytes written, from this thread, several times a second. What it throws ends the writing
     * @return how many files the tensors are in
     * @throws RemoraException if there is too little space, or a file cannot be written
     */
    public int write(NewCheckpoint checkpoint, int threads, String what, Consumer<LoadProgress> progress) {
        requireEmpty();
        PartialFolder partial = new PartialFolder(folder);
        List<Shard> shards = Shard.cut(checkpoint, shardBytes);
        try {
            requireSpace(
                    folder,
                    checkpoint.diskBytes(),
                    Files.getFileStore(partial.disk()).getUsableSpace());
            partial.create();
            writeTensors(shards, partial.path(), threads, checkpoint.tensorBytes(), what, progress);
            List<String> names =
                    new ArrayList<>(shards.stream().map(Shard::name).toList());
            for (Map.Entry<String, MemorySegment> file : checkpoint.files().entrySet()) {
                write(partial.path().resolve(file.getKey()), file.getValue());
                names.add(file.getKey());
            }
            if (shards.size() > 1) {
                write(partial.path().resolve(INDEX), index(shards, checkpoint.tensorBytes()));
                names.add(INDEX);
            }
            partial.publish(names);
            return shards.size();
        } catch (IOException e) {
            RemoraException failure = new RemoraException(folder + ": cannot be written: " + reason(e), e);
            partial.remove(failure);
            throw failure;
        } catch (RuntimeException | Error e) {
            partial.remove(e);
            throw e;
        }
    }

    static void requireSpace(Path folder, long bytes, long free) {
        if (bytes > free) {
            throw new RemoraException(String.format(
                    Locale.ROOT,
                    "%s: expected %.2f GB of free disk space, found %.2f GB; make room, or choose another disk",
                    folder,
                    bytes / 1e9,
                    free / 1e9));
        }
    }

    private static void writeTensors(
            List<Shard> shards, Path folder, int threads, long total, String what, Consumer<LoadProgress> progress) {
        try {
            progress.accept(new LoadProgress(0, total, what));
            try (WritingThreads writing = new WritingThreads(shards, folder, threads)) {
                while (writing.await()) {
                    progress.accept(new LoadProgress(writing.done(), total, what));
                }
            }
            shards.forEach(shard -> shard.finish(folder));
            progress.accept(new LoadProgress(total, total, what));
        } finally {
            shards.forEach(Shard::close);
        }
    }

    private static MemorySegment index(List<Shard> shards, long total) {
        Map<String, Object> weightMap = new LinkedHashMap<>();
        for (Shard shard : shards) {
            for (TensorSpec tensor : shard.tensors()) {
                weightMap.put(tensor.name(), shard.name());
            }
        }
        Map<String, Object> index = new LinkedHashMap<>();
        index.put("metadata", Map.of("total_size", total));
        index.put("weight_map", weightMap);
        return MemorySegment.ofArray(JsonWriter.write(index).getBytes(StandardCharsets.UTF_8));
    }

    private static void write(Path file, MemorySegment content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < content.byteSize(); ) {
                long count = Math.min(content.byteSize() - at, 1 << 24);
                ByteBuffer bytes = content.asSlice(at, count).asByteBuffer();
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                at += count;
            }
            channel.force(true);
        }
    }

    private static String reason(IOException e) {
        return e.getMessage() == null
                ? e.getClass().getSimpleName()
                : e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
