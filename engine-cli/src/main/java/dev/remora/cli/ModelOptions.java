package dev.remora.cli;

import dev.remora.models.LoadOptions;
import dev.remora.moe.policy.Guard;
import dev.remora.moe.policy.RouterPolicy;
import dev.remora.moe.policy.Target;
import picocli.CommandLine.Option;

/** Which model, and how it runs: the options that all commands with a model share. */
final class ModelOptions extends LoadingOptions {
    static final String POLICY_LABEL = "PART[+PART...]";

    static final String POLICY = "How far the router may depart from the model's own: exact, topk:K, mass:SHARE,"
            + " capacity:FACTOR, noise:AMPLITUDE, available:m=M, fallback:deadline=TIME; see docs/routing.md."
            + " Default: exact.";

    @Option(names = "--policy", paramLabel = POLICY_LABEL, description = POLICY)
    private String policy = "exact";

    @Option(
            names = "--target",
            paramLabel = "QUANTITY=VALUE[,...]",
            description = "Depart from the exact router as little as it takes, at most as --policy says, to reach"
                    + " tokens-per-second=8, bytes-per-token=200M or hit-rate=0.9; see docs/routing.md.")
    private String target;

    @Option(
            names = "--guard",
            paramLabel = "SETTING[,...]",
            description =
                    "Run a sample of the tokens exactly too, and be exact for a while where --policy goes too far:"
                            + " kl=0.05,top1=0.9,every=16,window=32; see docs/routing.md.")
    private String guard;

    @Override
    LoadOptions routed(LoadOptions options) {
        LoadOptions routed = options.withPolicy(RouterPolicy.parse(policy));
        routed = target == null ? routed : routed.withTarget(Target.parse(target));
        return guard == null ? routed : routed.withGuard(Guard.parse(guard));
    }
}
