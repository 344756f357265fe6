package dev.remora.models.bench;

import dev.remora.core.Activations;
import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.MemoryLimits;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.mla.RandomRows;
import dev.remora.models.LoadProgress;
import dev.remora.models.Machine;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.experts.ExpertOptions;
import dev.remora.models.experts.ExpertPlan;
import dev.remora.models.runtime.BundledModel;
import dev.remora.models.runtime.ModelPlan;
import dev.remora.models.runtime.RouterSupport;
import dev.remora.models.runtime.RunningModel;
import dev.remora.models.synthetic.SyntheticModel;
import dev.remora.moe.ExpertMemory;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.policy.RouterPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures a model on this machine, and this machine: tokens per second, and which share that is of what the memory and
 * the arithmetic units allow.
 *
 * <pre>{@code
 * BenchmarkReport report = Benchmark.bundled().run(BenchmarkOptions.defaults(), progress -> {});
 * }</pre>
 */
public final class Benchmark {
    private static final Logger LOG = LoggerFactory.getLogger(Benchmark.class);
    private static final long SEED = 1;

    private final String name;
    private final CheckpointSource source;
    private final ExpertOptions experts;

    private Benchmark(String name, CheckpointSource source) {
        this(name, source, ExpertOptions.RESIDENT);
    }

    private Benchmark(String name, CheckpointSource source, ExpertOptions experts) {
        this.name = name;
        this.source = source;
        this.experts = experts;
    }

    /**
     * Of the small model in the artifact {@code remora-tiny}.
     *
     * @throws dev.remora.core.CheckpointException if it is not there
     */
    public static Benchmark bundled() {
        return new Benchmark("remora-tiny", BundledModel.source());
    }

    /**
     * Of a checkpoint; its tokenizer is not needed.
     *
     * @throws dev.remora.core.CheckpointException if the folder is not there
     */
    public static Benchmark folder(Path folder) {
        CheckpointSource source = CheckpointSource.ofFolder(folder);
        return new Benchmark(source.describe(), source);
    }

    /** Of a model that is made in memory. */
    public static Benchmark synthetic(SyntheticModel model) {
        return new Benchmark(model.name(), model.source());
    }

    /**
     * The same model with less memory for its routed experts, so that some are read from the files when a step needs them.
     *
     * @param profile says which of them stay in memory
     * @throws IllegalArgumentException if there is a profile, but no limit
     */
    public Benchmark withExperts(ExpertMemory memory, Optional<Path> profile) {
        return new Benchmark(name, source, new ExpertOptions(memory, profile, false));
    }

    /**
     * Makes sure that the model was made for what the options ask for; {@link #run} does so too. Reads config.json alone.
     *
     * @throws IllegalArgumentException if it was not
     */
    public void check(BenchmarkOptions options) {
        DeepSeekConfig config = config();
        options.workloads(config.maxPositionEmbeddings());
        RouterSupport.require(config.moe(), options.policy());
    }

    private DeepSeekConfig config() {
        return DeepSeekConfig.parse(Json.object(source.read("config.json"), source.describe("config.json")));
    }

    /**
     * Checks the model, measures the machine, loads the model, and runs the workloads one after the other; the machine is
     * measured again after each, as long as there is memory for it.
     *
     * @param progress told what happens, from this thread or those that load
     * @throws IllegalArgumentException if the model was not made for the tokens that the options ask for
     * @throws dev.remora.core.RemoraException if the model cannot be loaded, or what is measured does not fit into memory
     */
    public BenchmarkReport run(BenchmarkOptions options, Consumer<LoadProgress> progress) {
        return run(options, progress, new Settling());
    }

    BenchmarkReport run(BenchmarkOptions options, Consumer<LoadProgress> progress, Settling settling) {
        DeepSeekConfig config = config();
        RouterSupport.require(config.moe(), options.policy());
        List<Workload> workloads = options.workloads(config.maxPositionEmbeddings());
        int threads = options.threads() == 0 ? Machine.probe().physicalCores() : options.threads();
        RoutingCounter routing = new RoutingCounter(
                config.numHiddenLayers(),
                config.moe().map(MoeConfig::nRoutedExperts).orElse(0));
        List<BenchmarkRunner.Timing> timings = new ArrayList<>();
        try (Loaded loaded = load(config, options, workloads, threads, routing, progress)) {
            List<MachineLimits> limits = new ArrayList<>(loaded.scaling);
            RandomRows rows = new RandomRows(config.mla(), options.cacheFormat(), SEED);
            BenchmarkRunner runner = new BenchmarkRunner(loaded.model, rows, routing, settling);
            for (Workload workload : workloads) {
                timings.add(runner.run(workload, options.repetitions(), what -> say(progress, what)));
                measureAgain(threads, options.probeBytes(), progress).ifPresent(limits::add);
            }
            MachineLimits best = best(limits, threads);
            return new BenchmarkReport(
                    new BenchmarkReport.MachineFigures(Host.cpu(), Host.jdk(), best, loaded.scaling),
                    figures(options.policy(), loaded, best),
                    memory(loaded, timings),
                    timings.stream()
                            .map(timing -> Results.of(timing, loaded.account, best))
                            .toList());
        }
    }

    /** Empty if model and caches leave too little memory: what was measured before must not be lost for that. */
    static Optional<MachineLimits> measureAgain(int threads, long bytes, Consumer<LoadProgress> progress) {
        say(progress, "measuring the machine again");
        try {
            return Optional.of(MachineProbe.measure(threads, bytes));
        } catch (InsufficientMemoryException e) {
            LOG.warn("The machine is not measured again. {}", e.getMessage());
            return Optional.empty();
        }
    }

    /** A model in memory, and what it takes. */
    private record Loaded(
            RunningModel model,
            StepAccount account,
            long weightBytes,
            long cacheBytesPerToken,
            List<MachineLimits> scaling)
            implements AutoCloseable {
        @Override
        public void close() {
            model.close();
        }
    }

    private Loaded load(
            DeepSeekConfig config,
            BenchmarkOptions options,
            List<Workload> workloads,
            int threads,
            RoutingCounter routing,
            Consumer<LoadProgress> progress) {
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            ModelPlan plan = new ModelPlan(config, checkpoint, Activations.F32, experts);
            long positions =
                    workloads.stream().mapToLong(Workload::positions).max().orElse(0);
            plan.requireMemory(MemoryLimits.now(), positions, options.cacheFormat(), threads)
                    .ifPresent(LOG::warn);
            // After what can be refused at once, and before the model takes the memory.
            say(progress, "measuring the machine");
            List<MachineLimits> scaling = MachineProbe.measureEach(threads, options.probeBytes());
            long total = plan.weightBytes();
            RunningModel model = plan.load(
                    threads,
                    options.cacheFormat(),
                    MemoryLimits::now,
                    routing,
                    done -> progress.accept(new LoadProgress(done, total, "loading weights")));
            model.experts().ifPresent(experts -> experts.policy(options.policy()));
            StepAccount account = new StepAccount(
                    config,
                    model.layers(),
                    model.head(),
                    config.mla().cacheWidth() * options.cacheFormat().bytes(),
                    ModelPlan.EVALUATION);
            return new Loaded(
                    model,
                    account,
                    plan.weightBytes()
                            + plan.storedExperts().map(ExpertPlan::bytes).orElse(0L),
                    plan.cacheBytesPerToken(options.cacheFormat()),
                    scaling);
        }
    }

    private BenchmarkReport.ModelFigures figures(RouterPolicy policy, Loaded loaded, MachineLimits limits) {
        Roofline token = new Roofline(limits);
        token.add(loaded.account.phases(loaded.account.oneRow(0)));
        return new BenchmarkReport.ModelFigures(
                policy.isExact() ? name : name + ", policy " + policy,
                loaded.weightBytes,
                loaded.cacheBytesPerToken,
                token.bytes(),
                token.flops());
    }

    private static BenchmarkReport.MemoryFigures memory(Loaded loaded, List<BenchmarkRunner.Timing> timings) {
        // A cache that is closed leaves its pages to the next one: the largest so far is what the process holds.
        long positions = timings.stream()
                .mapToLong(timing -> timing.workload().positions())
                .max()
                .orElse(0);
        long cache = positions * loaded.cacheBytesPerToken;
        long resident =
                timings.isEmpty() ? Host.residentBytes() : timings.getLast().resident();
        return new BenchmarkReport.MemoryFigures(
                resident, cache, resident == 0 ? 0 : Math.max(0, resident - loaded.weightBytes - cache));
    }

    /** The best of what was measured with all threads, each limit by itself. */
    private static MachineLimits best(List<MachineLimits> limits, int threads) {
        double read = 0;
        double fma = 0;
        int bits = 0;
        for (MachineLimits limit : limits) {
            if (limit.threads() == threads) {
                read = Math.max(read, limit.readGbps());
                fma = Math.max(fma, limit.fmaGflops());
                bits = limit.vectorBits();
            }
        }
        return new MachineLimits(read, fma, bits, threads);
    }

    private static void say(Consumer<LoadProgress> progress, String what) {
        progress.accept(new LoadProgress(0, 0, what));
    }
}
