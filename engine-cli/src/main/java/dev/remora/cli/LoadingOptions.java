package dev.remora.cli;

import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.models.EngineListener;
import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.models.ModelInfo;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model, and how it is loaded: the options of all commands with a model but for the policy. */
class LoadingOptions {
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

    @Mixin
    final ExpertOptions experts = new ExpertOptions();

    @Option(
            names = "--fp8-copies",
            description = "Keep every routed expert in FP8 too, always in memory, for a policy that falls back to it.")
    boolean fp8Copies;

    /**
     * Adds what the router does.
     *
     * @throws IllegalArgumentException if a text that says it is wrong
     */
    LoadOptions routed(LoadOptions options) {
        return options;
    }

    /** Loads the model, with progress on standard error where it takes long. */
    final Llm load(Shell shell) {
        return load(shell, EngineListener.NONE);
    }

    /** Loads the model for somebody who wants to see what it does. */
    final Llm load(Shell shell, EngineListener listener) {
        try (Progress progress = new Progress(shell)) {
            return OptionNames.translate(() -> {
                LoadOptions options = routed(LoadOptions.defaults()
                        .withThreads(threads)
                        .withContextLength(contextLength)
                        .withCacheFormat(cache)
                        .withActivations(activations)
                        .withExpertMemory(experts.memory())
                        .withExpertProfile(experts.profile())
                        .withFp8Copies(fp8Copies)
                        .withListener(listener)
                        .withProgress(progress));
                return folder.path == null ? Llm.bundled(options) : Llm.load(folder.path, options);
            });
        }
    }

    /** The model's name for people. */
    final String name(ModelInfo info) {
        return folder.path == null ? "remora-tiny, bundled with Remora" : info.source();
    }
}
