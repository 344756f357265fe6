package dev.remora.cli;

import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.models.EngineListener;
import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.models.ModelInfo;
import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model, and how it runs: the options that all commands with a model share. */
final class ModelOptions {
    static final String POLICY_LABEL = "PART[+PART...]";

    static final String POLICY = "How far the router may depart from the model's own: exact, topk:K, mass:SHARE,"
            + " capacity:FACTOR, noise:AMPLITUDE, available:m=M, fallback:deadline=TIME; see docs/routing.md."
            + " Default: exact.";

    @Mixin
    final ModelFolder folder = new ModelFolder();

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute. Default: one for each physical core.")
    int threads;

    @Option(
            names = "--ctx",
            paramLabel = "N",
            description = "Tokens that the context holds. Default: what the model was made for, at most 4096.")
    int contextLength;

    @Option(names = "--cache", paramLabel = "f32|bf16", description = "Numbers of the latent cache. Default: bf16.")
    CacheFormat cache = CacheFormat.BF16;

    @Option(
            names = "--activations",
            paramLabel = "f32|fp8",
            description = "What FP8 matrices multiply: f32, or rounded to FP8 as on GPUs. Default: f32.")
    Activations activations = Activations.F32;

    @Option(names = "--policy", paramLabel = POLICY_LABEL, description = POLICY)
    String policy = "exact";

    @Mixin
    final ExpertOptions experts = new ExpertOptions();

    @Option(
            names = "--fp8-copies",
            description = "Keep every routed expert in FP8 too, always in memory, for a policy that falls back to it.")
    boolean fp8Copies;

    @Option(
            names = "--target",
            paramLabel = "QUANTITY=VALUE[,...]",
            description = "Depart from the exact router as little as it takes, at most as --policy says, to reach"
                    + " tokens-per-second=8, bytes-per-token=200M or hit-rate=0.9; see docs/routing.md.")
    String target;

    @Option(
            names = "--guard",
            paramLabel = "SETTING[,...]",
            description =
                    "Run a sample of the tokens exactly too, and be exact for a while where --policy goes too far:"
                            + " kl=0.05,top1=0.9,every=16,window=32; see docs/routing.md.")
    String guard;

    /** Loads the model, with progress on standard error where it takes long. */
    Llm load(Shell shell) {
        return load(shell, EngineListener.NONE);
    }

    /** Loads the model for somebody who wants to see what it does. */
    Llm load(Shell shell, EngineListener listener) {
        try (Progress progress = new Progress(shell)) {
            return OptionNames.translate(() -> {
                LoadOptions options = new LoadOptions(
                        threads,
                        contextLength,
                        cache,
                        activations,
                        RouterPolicy.parse(policy),
                        experts.memory(),
                        experts.profile(),
                        fp8Copies,
                        Optional.ofNullable(target).map(Target::parse),
                        Optional.ofNullable(guard).map(Guard::parse),
                        listener,
                        progress);
                return folder.path == null ? Llm.bundled(options) : Llm.load(folder.path, options);
            });
        }
    }

    /** The model's name for people. */
    String name(ModelInfo info) {
        return folder.path == null ? "remora-tiny, bundled with Remora" : info.source();
    }
}
