package dev.remora.models.convert;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.models.LoadProgress;
import dev.remora.models.Machine;
import dev.remora.models.convert.ConversionReport.Size;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.runtime.BundledModel;
import dev.remora.models.saving.CheckpointFolder;
import dev.remora.models.saving.NewCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Writes a checkpoint anew: with the experts in the order in which they are read, or its matrices in another format, or
 * both. The files are mapped and written piece by piece, so memory is needed for a few pieces only, however large the model.
 *
 * <pre>{@code
 * ConversionReport report = Conversion.folder(model)
 *         .run(target, ConversionOptions.defaults().withExpertMajor(true).withTo(WeightFormat.FP8), progress -> {});
 * }</pre>
 */
public final class Conversion {
    private final CheckpointSource source;
    private final Path folder;

    private Conversion(CheckpointSource source, Path folder) {
        this.source = source;
        this.folder = folder;
    }

    /**
     * Of a checkpoint.
     *
     * @throws CheckpointException if the folder is not there
     */
    public static Conversion folder(Path model) {
        return new Conversion(CheckpointSource.ofFolder(model), model);
    }

    /**
     * Of the small model in the artifact {@code remora-tiny}.
     *
     * @throws CheckpointException if it is not there
     */
    public static Conversion bundled() {
        return new Conversion(BundledModel.source(), null);
    }

    /**
     * Converts. The old checkpoint is only read. The new one is written to a hidden folder and appears at once, complete; if
     * anything fails, nothing remains of it.
     *
     * @param target   a new or empty folder, not within the old one
     * @param progress told the bytes written, from this thread, several times a second. What it throws ends the conversion
     * @throws IllegalArgumentException if the options change nothing, because the matrices have the format already or there
     *     are no experts
     * @throws CheckpointException      if the old checkpoint is incomplete or damaged
     * @throws RemoraException          if the target holds something, lies within the old one, has too little space or
     *     cannot be written; or a number has no place in the new format
     */
    public ConversionReport run(Path target, ConversionOptions options, Consumer<LoadProgress> progress) {
        Objects.requireNonNull(progress, "progress");
        long start = System.nanoTime();
        requireOutside(target);
        CheckpointFolder destination = new CheckpointFolder(target, options.shardBytes());
        byte[] configJson = source.read(OtherFiles.CONFIG);
        String where = source.describe(OtherFiles.CONFIG);
        DeepSeekConfig config = DeepSeekConfig.parse(Json.object(configJson, where));
        OtherFiles others = new OtherFiles(source, folder);
        int threads = options.threads() == 0 ? Machine.probe().physicalCores() : options.threads();
        try (Checkpoint checkpoint = Checkpoint.open(source);
                Arena arena = Arena.ofShared()) {
            ConversionPlan plan = new ConversionPlan(config, checkpoint, options);
            Map<String, MemorySegment> files = others.contents(arena);
            if (plan.converted() > 0) {
                byte[] converted =
                        ConfigFile.converted(configJson, where, options.to().orElseThrow());
                files.put(OtherFiles.CONFIG, MemorySegment.ofArray(converted));
            }
            NewCheckpoint contents = new NewCheckpoint(plan.sections(), files);
            int shards = destination.write(contents, threads, "converting weights", progress);
            return new ConversionReport(
                    target,
                    new Size(
                            checkpoint.names().size(),
                            checkpoint.byteSize(),
                            checkpoint.files().size()),
                    new Size(contents.tensors(), contents.tensorBytes(), shards),
                    plan.converted(),
                    plan.experts(),
                    plan.kept(),
                    plan.account().report(),
                    List.copyOf(others.copied()),
                    List.copyOf(others.leftOut()),
                    Duration.ofNanos(System.nanoTime() - start));
        }
    }

    /** A target within the source would become one of the files that it copies. */
    private void requireOutside(Path target) {
        if (folder == null) {
            return;
        }
        try {
            Path model = folder.toRealPath();
            Path existing = target.toAbsolutePath().normalize();
            Path rest = Path.of("");
            while (!Files.exists(existing)) {
                rest = existing.getFileName().resolve(rest);
                existing = existing.getParent();
            }
            if (existing.toRealPath().resolve(rest).startsWith(model)) {
                throw new RemoraException(target + ": expected a folder outside the checkpoint that is converted, found"
                        + " it within " + model + ". Name another folder");
            }
        } catch (IOException e) {
            throw new RemoraException(target + ": cannot be resolved: " + e.getMessage(), e);
        }
    }
}
