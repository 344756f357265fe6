package dev.remora.models.synthetic;

import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.models.LoadProgress;
import dev.remora.models.Machine;
import dev.remora.models.saving.CheckpointFolder;
import dev.remora.models.saving.CopiedPart;
import dev.remora.models.saving.NewCheckpoint;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A model with the geometry of a released one and random weights. Its numbers are Gaussian, with the standard deviation
 * that the released models start their training from, and rounded or quantised as any other model's would be: a kernel
 * meets the codes that it meets in real life. What it generates means nothing. The same text always gives the same model.
 *
 * <pre>{@code
 * SyntheticModel model = SyntheticModel.parse("deepseek-v2-lite,experts=16,dtype=fp8");
 * try (Llm llm = model.load(LoadOptions.defaults())) { ... }
 * }</pre>
 */
public final class SyntheticModel {
    private final Specification specification;

    SyntheticModel(Specification specification) {
        this.specification = specification;
    }

    /**
     * A model from its name and options, in any order: {@code layers=N} of its layers, {@code experts=N} of the routed
     * experts of a layer, {@code dtype=fp8|bf16|f32} for its matrices.
     *
     * @param text for example {@code deepseek-v3,layers=4,experts=32}
     * @throws IllegalArgumentException if there is no such model or option; the message lists those that exist
     */
    public static SyntheticModel parse(String text) {
        return new SyntheticModel(Specification.parse(text));
    }

    /** What {@link #parse} knows as names. */
    public static List<String> names() {
        return Specification.names();
    }

    /** The name and all options, as {@link #parse} reads them: {@code deepseek-v3,layers=4,experts=256,dtype=fp8}. */
    public String name() {
        return specification.name();
    }

    /** In one sentence what was left out of the released model, for people who read results. */
    public String description() {
        return specification.description();
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return new TensorPlan(specification).bytes();
    }

    /**
     * The checkpoint: config.json, generation_config.json, a tokenizer of bytes and fillers, and the tensors, made each
     * time they are asked for. Beside what is loaded from them, they take the memory of two of the largest ones.
     */
    public CheckpointSource source() {
        return new SyntheticSource(specification);
    }

    /**
     * Loads the model.
     *
     * @throws RemoraException as {@link Llm#load(CheckpointSource, LoadOptions)}
     */
    public Llm load(LoadOptions options) {
        return Llm.load(source(), options);
    }

    /**
     * Writes the checkpoint into a new or empty folder, in shards of at most 5 GB as the released ones. Its files appear
     * together, config.json last, once all are written; if anything fails nothing remains.
     *
     * @param progress told the bytes written, from this thread, several times a second; what it throws ends the saving
     * @throws RemoraException if the folder is not empty, cannot be written or has too little space
     */
    public void save(Path folder, Consumer<LoadProgress> progress) {
        Objects.requireNonNull(progress, "progress");
        save(folder, CheckpointFolder.SHARD_BYTES, progress);
    }

    void save(Path folder, long shardBytes, Consumer<LoadProgress> progress) {
        CheckpointFolder target = new CheckpointFolder(folder, shardBytes);
        CheckpointSource source = source();
        Map<String, MemorySegment> files = new TreeMap<>();
        for (String name : source.names()) {
            if (!name.equals(SyntheticSource.WEIGHTS)) {
                files.put(name, MemorySegment.ofArray(source.read(name)));
            }
        }
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            List<CopiedPart> parts =
                    checkpoint.tensors().stream().map(CopiedPart::of).toList();
            NewCheckpoint contents = new NewCheckpoint(List.of(NewCheckpoint.section(parts)), files);
            target.write(contents, Machine.probe().physicalCores(), "saving weights", progress);
        }
    }

    @Override
    public String toString() {
        return name();
    }
}
