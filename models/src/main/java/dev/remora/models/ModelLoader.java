package dev.remora.models;

import dev.remora.core.CachePool;
import dev.remora.core.CheckpointException;
import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.MemoryLimits;
import dev.remora.core.StoredMatrix;
import dev.remora.core.ThreadTeam;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.kernel.VectorSupport;
import dev.remora.mla.Evaluation;
import dev.remora.models.deepseek.DeepSeekAssembler;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.transformer.Transformer;
import dev.remora.models.weights.WeightLoader;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From the files of a checkpoint to a running model: read, validate, account for memory, repack, assemble. */
final class ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);
    private static final String BUNDLED = "META-INF/remora/remora-tiny/";

    /** Rows of a step: a prompt is run in chunks of this size. */
    private static final int MAX_ROWS = 512;

    private static final int USUAL_CONTEXT = 4096;

    private ModelLoader() {}

    static Llm load(CheckpointSource source, LoadOptions options) {
        return load(source, options, MemoryLimits::now);
    }

    /** @param memory what the process may still take, asked for when it matters */
    static Llm load(CheckpointSource source, LoadOptions options, Supplier<MemoryLimits> memory) {
        if (VectorSupport.unexpectedlyScalar()) {
            LOG.warn("Computing without vectors, many times slower: {}", VectorSupport.reason());
        }
        JsonObject json = Json.object(source.read("config.json"), source.describe("config.json"));
        DeepSeekConfig config = DeepSeekConfig.parse(json);
        JsonObject generation = source.exists("generation_config.json")
                ? Json.object(source.read("generation_config.json"), source.describe("generation_config.json"))
                : null;
        GenerationConfig generationConfig = GenerationConfig.of(generation, json);
        TextModel text = TextModel.load(source);
        int context = contextLength(options, config);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            WeightLoader loader = new WeightLoader();
            DeepSeekAssembler assembler = new DeepSeekAssembler(config, checkpoint, loader);
            assembler.rejectUnusedTensors();
            int threads = options.threads() == 0 ? Processors.physical() : options.threads();
            ModelInfo info = new ModelSummary(config, json, checkpoint, assembler)
                    .info(context, options.cacheFormat(), generationConfig);
            requireMemory(memory.get(), config, loader, assembler, info, threads);
            Engine engine = engine(memory, assembler, loader, info, options, threads);
            // Not before: the compiler would serve the kernels while the loop that repacks the weights waits for it.
            Warmup.start();
            return new Llm(engine, info, text, generationConfig, engine);
        }
    }

    private static int contextLength(LoadOptions options, DeepSeekConfig config) {
        int made = config.maxPositionEmbeddings();
        if (options.contextLength() > made) {
            throw new IllegalArgumentException("contextLength: expected 1 to " + made
                    + ", for which the model was made, found " + options.contextLength());
        }
        return options.contextLength() > 0 ? options.contextLength() : Math.min(made, USUAL_CONTEXT);
    }

    private static void requireMemory(
            MemoryLimits memory,
            DeepSeekConfig config,
            WeightLoader loader,
            DeepSeekAssembler assembler,
            ModelInfo info,
            int threads) {
        long weights = loader.bytes() + assembler.embedTokens().storedBytes();
        long rows = DeepSeekAssembler.workspaceBytes(config, MAX_ROWS, threads);
        requireHeap(info.source(), rows, Runtime.getRuntime().maxMemory());
        long cache = info.cacheBytesPerToken() * info.contextLength();
        memory.require(
                weights + rows + cache,
                String.format(
                        Locale.ROOT,
                        "%s: weights of %.2f GiB, a context of %d tokens (%.2f GiB) and the rows of a step (%.2f GiB)",
                        info.source(),
                        weights / 0x1p30,
                        info.contextLength(),
                        cache / 0x1p30,
                        rows / 0x1p30));
        long mapped =
                info.tensors().stream().mapToLong(ModelInfo.TensorInfo::bytes).sum();
        memory.warnIfMapped(mapped, weights).ifPresent(LOG::warn);
    }

    /**
     * Makes sure that the rows of a step fit the Java heap: they are arrays, while weights and caches are not.
     *
     * @throws InsufficientMemoryException if they do not
     */
    static void requireHeap(String source, long rows, long maxHeap) {
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

    @SuppressWarnings("MustBeClosedChecker") // the arena becomes the engine's own
    private static Engine engine(
            Supplier<MemoryLimits> memory,
            DeepSeekAssembler assembler,
            WeightLoader loader,
            ModelInfo info,
            LoadOptions options,
            int threads) {
        Arena arena = Arena.ofShared();
        ThreadTeam team = null;
        try {
            long total = loader.bytes();
            options.progress().accept(new LoadProgress(0, total, "loading weights"));
            loader.load(
                    arena,
                    threads,
                    done -> options.progress().accept(new LoadProgress(done, total, "loading weights")));
            StoredMatrix embedding = assembler.embedTokens().copy(arena);
            team = new ThreadTeam(threads, MAX_ROWS);
            Transformer transformer = assembler.assemble(
                    embedding, team, MAX_ROWS, options.cacheFormat(), Evaluation.CHEAPEST, (layer, routing) -> {});
            CachePool pool =
                    assembler.cachePool(options.cacheFormat(), memory.get().availableBytes());
            ThreadTeam closing = team;
            return new Engine(transformer, pool, () -> {
                closing.close();
                arena.close();
            });
        } catch (Throwable e) {
            if (team != null) {
                team.close();
            }
            arena.close();
            if (e instanceof OutOfMemoryError) {
                throw new InsufficientMemoryException(info.source() + ": the Java heap of "
                        + Runtime.getRuntime().maxMemory() / (1 << 20)
                        + " MiB is too small for the rows of a step; start java with a larger -Xmx");
            }
            throw e;
        }
    }

    /** @throws CheckpointException if the bundled model is not there */
    static CheckpointSource bundledSource() {
        CheckpointSource source = CheckpointSource.ofResources(ModelLoader.class.getClassLoader(), BUNDLED);
        if (!source.exists("config.json")) {
            throw new CheckpointException(
                    "the bundled model: expected " + BUNDLED + "config.json on the class path or module"
                            + " path, found no such resource. Add the artifact dev.remora:remora-tiny, or load a folder");
        }
        return source;
    }
}
