package dev.remora.models;

import dev.remora.core.Activations;
import dev.remora.core.CacheFormat;
import dev.remora.models.experts.ExpertOptions;
import dev.remora.moe.ExpertMemory;
import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How a model is loaded.
 *
 * @param threads that compute; 0: one for each physical core
 * @param contextLength tokens that a session holds unless it asks for another number; 0: what the model was made for,
 *     at most 4096
 * @param cacheFormat how the latent cache is stored
 * @param activations what the inputs of FP8 matrices are rounded to: {@link Activations#F32}, not at all, unless the model
 *     should be heard as on GPUs that multiply in FP8; a model without FP8 matrices refuses {@link Activations#FP8}
 * @param policy how far the router may depart from the model's own; {@link Llm#policy(RouterPolicy)} changes it later
 * @param expertMemory what the routed experts may take; what does not fit is read from the files when it is needed
 * @param expertProfile a file that says which experts are hot: these stay in memory; needs a limited expertMemory
 * @param fp8Copies keep a copy of each expert in FP8 in memory, for a policy that falls back to it while the expert itself
 *     is read; needs a limited expertMemory
 * @param target what the policy is adapted to while the model runs; answers then depend on load
 * @param guard bounds beyond which the router is exact for a while
 * @param listener sees what the model does; {@link EngineListener#NONE}: nobody
 * @param progress is told how far loading is, from the thread that loads
 */
public record LoadOptions(
        int threads,
        int contextLength,
        CacheFormat cacheFormat,
        Activations activations,
        RouterPolicy policy,
        ExpertMemory expertMemory,
        Optional<Path> expertProfile,
        boolean fp8Copies,
        Optional<Target> target,
        Optional<Guard> guard,
        EngineListener listener,
        Consumer<LoadProgress> progress) {
    /** More processors than any machine that this was written for has. */
    private static final int MAX_THREADS = 1024;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is negative, or too many threads are asked for
     */
    public LoadOptions {
        if (threads < 0 || threads > MAX_THREADS) {
            throw new IllegalArgumentException(
                    "threads: expected 0 (physical cores) to " + MAX_THREADS + ", found " + threads);
        }
        if (contextLength < 0) {
            throw new IllegalArgumentException(
                    "contextLength: expected 0 (the model's, at most 4096) or more, found " + contextLength);
        }
        Objects.requireNonNull(cacheFormat, "cacheFormat");
        Objects.requireNonNull(activations, "activations");
        Objects.requireNonNull(policy, "policy");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(guard, "guard");
        Objects.requireNonNull(listener, "listener");
        Objects.requireNonNull(progress, "progress");
        new ExpertOptions(expertMemory, expertProfile, fp8Copies);
    }

    /** Physical cores, the model's context up to 4096 tokens, BF16 cache, exact router, all experts in memory, silence. */
    public static LoadOptions defaults() {
        return new LoadOptions(
                0,
                0,
                CacheFormat.BF16,
                Activations.F32,
                RouterPolicy.EXACT,
                ExpertMemory.ALL,
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty(),
                EngineListener.NONE,
                progress -> {});
    }

    public LoadOptions withThreads(int value) {
        return with(draft -> draft.threads = value);
    }

    public LoadOptions withContextLength(int value) {
        return with(draft -> draft.contextLength = value);
    }

    public LoadOptions withCacheFormat(CacheFormat value) {
        return with(draft -> draft.cacheFormat = value);
    }

    public LoadOptions withActivations(Activations value) {
        return with(draft -> draft.activations = value);
    }

    public LoadOptions withPolicy(RouterPolicy value) {
        return with(draft -> draft.policy = value);
    }

    /** Limits the memory of the routed experts. {@link ExpertMemory#ALL} also forgets profile and copies, which need a limit. */
    public LoadOptions withExpertMemory(ExpertMemory value) {
        return with(draft -> {
            draft.expertMemory = value;
            draft.expertProfile = value.all() ? Optional.empty() : draft.expertProfile;
            draft.fp8Copies = !value.all() && draft.fp8Copies;
        });
    }

    public LoadOptions withExpertProfile(Optional<Path> value) {
        return with(draft -> draft.expertProfile = value);
    }

    public LoadOptions withFp8Copies(boolean value) {
        return with(draft -> draft.fp8Copies = value);
    }

    /** What the policy is adapted to; needs a policy that says how far. */
    public LoadOptions withTarget(Target value) {
        return with(draft -> draft.target = Optional.of(value));
    }

    /** Bounds beyond which the router is exact; needs a policy for decoded tokens. */
    public LoadOptions withGuard(Guard value) {
        return with(draft -> draft.guard = Optional.of(value));
    }

    public LoadOptions withListener(EngineListener value) {
        return with(draft -> draft.listener = value);
    }

    public LoadOptions withProgress(Consumer<LoadProgress> value) {
        return with(draft -> draft.progress = value);
    }

    ExpertOptions experts() {
        return new ExpertOptions(expertMemory, expertProfile, fp8Copies);
    }

    private LoadOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.options();
    }

    /** The components while one is changed, so that each is named once and not in every method above. */
    private static final class Draft {
        private int threads;
        private int contextLength;
        private CacheFormat cacheFormat;
        private Activations activations;
        private RouterPolicy policy;
        private ExpertMemory expertMemory;
        private Optional<Path> expertProfile;
        private boolean fp8Copies;
        private Optional<Target> target;
        private Optional<Guard> guard;
        private EngineListener listener;
        private Consumer<LoadProgress> progress;

        Draft(LoadOptions from) {
            threads = from.threads;
            contextLength = from.contextLength;
            cacheFormat = from.cacheFormat;
            activations = from.activations;
            policy = from.policy;
            expertMemory = from.expertMemory;
            expertProfile = from.expertProfile;
            fp8Copies = from.fp8Copies;
            target = from.target;
            guard = from.guard;
            listener = from.listener;
            progress = from.progress;
        }

        LoadOptions options() {
            return new LoadOptions(
                    threads,
                    contextLength,
                    cacheFormat,
                    activations,
                    policy,
                    expertMemory,
                    expertProfile,
                    fp8Copies,
                    target,
                    guard,
                    listener,
                    progress);
        }
    }
}
