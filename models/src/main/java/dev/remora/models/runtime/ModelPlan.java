package dev.remora.models.runtime;

import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.MemoryLimits;
import dev.remora.core.StoredMatrix;
import dev.remora.core.ThreadTeam;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.mla.Evaluation;
import dev.remora.models.deepseek.DeepSeekAssembler;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.experts.ExpertOptions;
import dev.remora.models.experts.ExpertPlan;
import dev.remora.models.experts.SlotExperts;
import dev.remora.models.transformer.Transformer;
import dev.remora.models.weights.WeightLoader;
import dev.remora.moe.ExpertObserver;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.RoutingListener;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * A model that is about to be loaded: its tensors are found and checked, and what it will take is known. In this order:
 * {@link #requireMemory}, {@link #load}.
 */
public final class ModelPlan {
    /** Rows of a step: a prompt is run in chunks of this size. */
    public static final int MAX_ROWS = 512;

    /** How the attention of a step is evaluated. */
    public static final Evaluation EVALUATION = Evaluation.CHEAPEST;

    private final DeepSeekConfig config;
    private final Checkpoint checkpoint;
    private final WeightLoader loader = new WeightLoader();
    private final DeepSeekAssembler assembler;
    private final Supplier<StoredMatrix> embedding;
    private final Optional<ExpertPlan> experts;

    /**
     * Checks all tensors.
     *
     * @param checkpoint  stays open until the model is loaded
     * @param activations what the inputs of FP8 matrices are rounded to
     * @throws IllegalArgumentException if they shall be rounded and there is no such matrix
     * @throws dev.remora.core.CheckpointException if one is missing, superfluous, or has the wrong shape or format
     */
    public ModelPlan(DeepSeekConfig config, Checkpoint checkpoint, Activations activations) {
        this(config, checkpoint, activations, ExpertOptions.RESIDENT);
    }

    /**
     * As the other constructor.
     *
     * @param options how the routed experts are held
     * @throws IllegalArgumentException if memory for routed experts is limited and there are none
     * @throws InsufficientMemoryException if it is too little for a step
     */
    public ModelPlan(DeepSeekConfig config, Checkpoint checkpoint, Activations activations, ExpertOptions options) {
        this.config = config;
        this.checkpoint = checkpoint;
        boolean limited = !options.memory().all();
        if (limited && config.moe().isEmpty()) {
            throw new IllegalArgumentException("expertMemory: expected a model with routed experts, found none in "
                    + checkpoint.source().describe() + "; leave it out");
        }
        this.assembler = new DeepSeekAssembler(config, checkpoint, loader, activations, limited);
        assembler.rejectUnusedTensors();
        this.embedding = loader.addCopy(assembler.embedTokens());
        this.experts = limited
                ? Optional.of(new ExpertPlan(checkpoint.source(), assembler.storedExperts(), options))
                : Optional.empty();
    }

    public DeepSeekConfig config() {
        return config;
    }

    public DeepSeekAssembler assembler() {
        return assembler;
    }

    /** The routed experts that stay in their files, if they do. */
    public Optional<ExpertPlan> storedExperts() {
        return experts;
    }

    /**
     * Bytes of the weights that are loaded, the embedding included; what {@link #load} reports in the end. Memory for routed
     * experts that stay in their files comes on top.
     */
    public long weightBytes() {
        return loader.bytes();
    }

    /** Bytes of cache of one position, in all layers. */
    public long cacheBytesPerToken(CacheFormat format) {
        return (long) config.numHiddenLayers() * config.mla().cacheWidth() * format.bytes();
    }

    /**
     * Makes sure that everything fits.
     *
     * @param positions in all caches together
     * @return a warning if the files of the checkpoint cannot stay cached beside it
     * @throws InsufficientMemoryException if the memory, or the Java heap, is too small
     */
    public Optional<String> requireMemory(MemoryLimits memory, long positions, CacheFormat format, int threads) {
        String source = checkpoint.source().describe();
        long weights = weightBytes();
        long rows = assembler.workspaceBytes(MAX_ROWS, threads);
        requireHeap(source, rows, Runtime.getRuntime().maxMemory());
        long cache = cacheBytesPerToken(format) * positions;
        long slots = experts.map(ExpertPlan::bytes).orElse(0L);
        memory.require(
                weights + slots + rows + cache,
                String.format(
                        Locale.ROOT,
                        "%s: weights of %.2f GiB%s, a context of %d tokens (%.2f GiB) and the rows of a step (%.2f GiB)",
                        source,
                        weights / 0x1p30,
                        slots == 0 ? "" : String.format(Locale.ROOT, ", experts of %.2f GiB", slots / 0x1p30),
                        positions,
                        cache / 0x1p30,
                        rows / 0x1p30));
        // Experts that stay in their files are not read through the mapping.
        long unmapped = experts.map(ExpertPlan::storedBytes).orElse(0L);
        return memory.warnIfMapped(Math.max(0, checkpoint.mappedBytes() - unmapped), weights + slots);
    }

    /**
     * Makes sure that the rows of a step fit the Java heap: they are arrays, while weights and caches are not.
     *
     * @throws InsufficientMemoryException if they do not
     */
    public static void requireHeap(String source, long rows, long maxHeap) {
        if (rows > maxHeap) {
            throw new InsufficientMemoryException(String.format(
                    Locale.ROOT,
                    "%s: expected a Java heap of more than %d MiB for the rows of a step, found %d MiB; start java with"
                            + " a larger -Xmx",
                    source,
                    Math.ceilDiv(rows, 1 << 20),
                    maxHeap >> 20));
        }
    }

    /**
     * Loads the weights and starts the threads.
     *
     * @param memory   what the process may still take, asked for once the weights are loaded: the caches may take it all
     * @param listener sees the router's decisions
     * @param progress told how many of the {@link WeightLoader#bytes bytes} are loaded
     */
    public RunningModel load(
            int threads,
            CacheFormat format,
            Supplier<MemoryLimits> memory,
            RoutingListener listener,
            LongConsumer progress) {
        return load(threads, format, memory, listener, ExpertObserver.NONE, progress);
    }

    /**
     * As the other method.
     *
     * @param observer sees how experts that stay in their files come into memory
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena becomes the model's own
    public RunningModel load(
            int threads,
            CacheFormat format,
            Supplier<MemoryLimits> memory,
            RoutingListener listener,
            ExpertObserver observer,
            LongConsumer progress) {
        Arena arena = Arena.ofShared();
        ThreadTeam team = null;
        SlotExperts slots = null;
        try {
            progress.accept(0);
            loader.load(arena, threads, progress);
            team = new ThreadTeam(threads, MAX_ROWS, assembler.inputWidth());
            Optional<MoeWorkspace> workspace = assembler.moeWorkspace(MAX_ROWS, team);
            workspace.ifPresent(w -> w.listen(listener));
            Transformer transformer;
            if (experts.isPresent()) {
                slots = experts.get().start(arena, threads, observer);
                transformer = assembler.assemble(
                        embedding.get(), team, MAX_ROWS, format, EVALUATION, workspace, Optional.of(slots));
            } else {
                transformer = assembler.assemble(embedding.get(), team, MAX_ROWS, format, EVALUATION, workspace);
            }
            CachePool pool = assembler.cachePool(format, memory.get().availableBytes());
            return new RunningModel(
                    arena,
                    team,
                    transformer,
                    workspace,
                    pool,
                    assembler.layerWeights(),
                    assembler.head(),
                    Optional.ofNullable(slots));
        } catch (Throwable e) {
            if (team != null) {
                team.close();
            }
            if (slots != null) {
                slots.close();
            }
            arena.close();
            if (e instanceof OutOfMemoryError) {
                throw new InsufficientMemoryException(checkpoint.source().describe() + ": the Java heap of "
                        + Runtime.getRuntime().maxMemory() / (1 << 20)
                        + " MiB is too small for the rows of a step; start java with a larger -Xmx");
            }
            throw e;
        }
    }
}
