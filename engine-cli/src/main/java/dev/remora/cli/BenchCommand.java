package dev.remora.cli;

import dev.remora.core.CacheFormat;
import dev.remora.core.json.JsonWriter;
import dev.remora.models.bench.Benchmark;
import dev.remora.models.bench.BenchmarkOptions;
import dev.remora.models.bench.BenchmarkReport;
import dev.remora.models.synthetic.SyntheticModel;
import dev.remora.moe.policy.RouterPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora bench}: how fast a model runs here, and how fast it could. */
@Command(
        name = "bench",
        description = {
            "Measures a model on this machine: tokens per second for prompts (pp) and generation (tg), and which share that"
                    + " is of what the memory and the arithmetic units allow.",
            "Let nothing else run meanwhile."
        },
        footer = {
            "",
            "Examples:",
            "  remora bench",
            "  remora bench --model ~/models/DeepSeek-V2-Lite --depth 0,4096 --batch 1,4,16",
            "  remora bench --synthetic deepseek-v2-lite,experts=16,dtype=fp8 --json",
            "  remora bench --synthetic deepseek-v3,layers=4 --save DIR --prompt 0 --generate 0"
        })
final class BenchCommand implements Callable<Integer> {
    private static final BenchmarkOptions DEFAULTS = BenchmarkOptions.defaults();

    private final Shell shell;

    @Mixin
    private final ModelFolder folder = new ModelFolder();

    @Option(
            names = "--synthetic",
            paramLabel = "NAME[,KEY=VALUE...]",
            description = "Make a model with the geometry of this one and random weights, in memory: deepseek-v2-lite,"
                    + " moonlight, glm-4.7-flash, deepseek-v3; with layers=N, experts=N, dtype=fp8|bf16|f32.")
    private String synthetic;

    @Option(
            names = "--save",
            paramLabel = "DIR",
            description = "Write the synthetic model into this new or empty folder, as a checkpoint, and measure that.")
    private Path save;

    @Option(names = "--prompt", paramLabel = "N", description = "Tokens of the prompt; 0: none. Default: 512.")
    private int prompt = DEFAULTS.prompt();

    @Option(names = "--generate", paramLabel = "N", description = "Tokens to generate; 0: none. Default: 128.")
    private int generate = DEFAULTS.generate();

    @Option(
            names = "--depth",
            paramLabel = "N",
            split = ",",
            description = "Tokens that are cached before; the cache is filled with random rows. Default: 0,4096,16384.")
    private List<Integer> depths = new ArrayList<>();

    @Option(
            names = "--batch",
            paramLabel = "N",
            split = ",",
            description = "Sequences that generate together. Default: 1.")
    private List<Integer> batches = new ArrayList<>();

    @Option(names = "--repetitions", paramLabel = "N", description = "Times that each is measured. Default: 3.")
    private int repetitions = DEFAULTS.repetitions();

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute. Default: one for each physical core.")
    private int threads;

    @Option(names = "--cache", paramLabel = "f32|bf16", description = "Numbers of the latent cache. Default: bf16.")
    private CacheFormat cache = CacheFormat.BF16;

    @Option(names = "--policy", paramLabel = ModelOptions.POLICY_LABEL, description = ModelOptions.POLICY)
    private String policy = "exact";

    @Option(
            names = "--read-memory",
            paramLabel = "MB",
            description = "Memory to read when the bandwidth is measured: far more than the caches. Default: 1024.")
    private int readMegabytes = (int) (DEFAULTS.probeBytes() >> 20);

    @Mixin
    private final ExpertOptions experts = new ExpertOptions();

    @Option(names = "--json", description = "Print one JSON object: machine, model, memory, results.")
    private boolean json;

    BenchCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        BenchmarkOptions options = options();
        BenchmarkReport report;
        try (Progress progress = new Progress(shell)) {
            report = OptionNames.translate(() -> benchmark(options, progress)
                    .withExperts(experts.memory(), experts.profile())
                    .run(options, progress));
        }
        if (json) {
            shell.print(JsonWriter.write(BenchOutput.object(report)) + "\n");
        } else {
            shell.print(BenchOutput.text(report, shell.outColours()));
        }
        return ExitCode.OK;
    }

    private BenchmarkOptions options() {
        if (folder.path != null && synthetic != null) {
            throw new UsageException("--model and --synthetic: expected one of them, found both");
        }
        if (save != null && synthetic == null) {
            throw new UsageException("--save: expected --synthetic beside it, which says what to write");
        }
        return OptionNames.translate(() -> new BenchmarkOptions(
                prompt,
                generate,
                depths,
                batches.isEmpty() ? DEFAULTS.batches() : batches,
                repetitions,
                threads,
                cache,
                (long) readMegabytes << 20,
                RouterPolicy.parse(policy)));
    }

    private Benchmark benchmark(BenchmarkOptions options, Progress progress) {
        if (synthetic == null) {
            return folder.path == null ? Benchmark.bundled() : Benchmark.folder(folder.path);
        }
        SyntheticModel model = synthetic();
        Benchmark benchmark = Benchmark.synthetic(model);
        if (save == null) {
            return benchmark;
        }
        benchmark.check(options); // before gigabytes are written
        try (Interrupts.Scope _ = progress.untilInterrupted()) {
            model.save(save, progress);
        }
        return Benchmark.folder(save);
    }

    private SyntheticModel synthetic() {
        try {
            return SyntheticModel.parse(synthetic);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--synthetic: " + e.getMessage(), e);
        }
    }
}
