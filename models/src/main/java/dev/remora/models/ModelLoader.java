package dev.remora.models;

import dev.remora.core.MemoryLimits;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.kernel.VectorSupport;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.jfr.ModelLoadedEvent;
import dev.remora.models.runtime.ModelPlan;
import dev.remora.models.runtime.RouterSupport;
import dev.remora.models.runtime.RunningModel;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.control.PolicyLoop;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From the files of a checkpoint to a running model: read, validate, account for memory, repack, assemble. */
final class ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);
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
        long start = System.nanoTime();
        ModelLoadedEvent event = new ModelLoadedEvent();
        event.begin();
        JsonObject json = Json.object(source.read("config.json"), source.describe("config.json"));
        DeepSeekConfig config = DeepSeekConfig.parse(json);
        RouterSupport.require(config.moe(), options.policy());
        PolicyLoop.require(
                options.policy(),
                config.moe(),
                options.target(),
                options.guard(),
                !options.expertMemory().all());
        JsonObject generation = source.exists("generation_config.json")
                ? Json.object(source.read("generation_config.json"), source.describe("generation_config.json"))
                : null;
        GenerationConfig generationConfig = GenerationConfig.of(generation, json);
        TextModel text = TextModel.load(source);
        int context = contextLength(options, config);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            ModelPlan plan = new ModelPlan(config, checkpoint, options.activations(), options.experts());
            int threads = options.threads() == 0 ? Processors.physical() : options.threads();
            plan.requireMemory(memory.get(), context, options.cacheFormat(), threads)
                    .ifPresent(LOG::warn);
            ModelInfo info = new ModelSummary(config, json, checkpoint, plan.assembler())
                    .info(context, options, generationConfig);
            long total = plan.weightBytes();
            Telemetry telemetry = new Telemetry(config.numHiddenLayers(), config.moe(), options.listener());
            RunningModel model = plan.load(
                    threads,
                    options.cacheFormat(),
                    memory,
                    telemetry,
                    telemetry,
                    done -> options.progress().accept(new LoadProgress(done, total, "loading weights")));
            model.experts().ifPresent(workspace -> workspace.observe(telemetry));
            Engine engine = engine(model, options, telemetry);
            // Not before: the compiler would serve the kernels while the loop that repacks the weights waits for it.
            Warmup.start(
                    info.tensors().stream().map(ModelInfo.TensorInfo::dtype).collect(Collectors.toSet()));
            report(event, info);
            telemetry.loaded(info, Duration.ofNanos(System.nanoTime() - start));
            return new Llm(engine, info, text, generationConfig, engine);
        }
    }

    private static void report(ModelLoadedEvent event, ModelInfo info) {
        if (event.shouldCommit()) {
            event.source = info.source();
            event.architecture = info.architecture();
            event.parameters = info.totalParameters();
            event.weightBytes = info.tensors().stream()
                    .mapToLong(ModelInfo.TensorInfo::bytes)
                    .sum();
            event.commit();
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

    private static Engine engine(RunningModel model, LoadOptions options, Telemetry telemetry) {
        try {
            Optional<MoeConfig> moe = model.experts().map(MoeWorkspace::config);
            PolicyLoop policies =
                    new PolicyLoop(options.policy(), moe, options.target(), options.guard(), System::nanoTime);
            StepExecutor executor =
                    new StepExecutor(model.transformer(), model.experts(), policies, telemetry, model.pool());
            return new Engine(executor, moe, policies, model.pool(), model::close);
        } catch (Throwable e) {
            // The system may refuse the engine its thread.
            model.close();
            throw e;
        }
    }
}
