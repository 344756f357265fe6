package dev.remora.cli;

import dev.remora.moe.policy.RouterPolicy;
import picocli.CommandLine.Option;

/** Which model, and how it runs: the options that all commands with a model share. */
final class ModelOptions extends LoadingOptions {
    static final String POLICY_LABEL = "PART[+PART...]";

    static final String POLICY = "How far the router may depart from the model's own: exact, topk:K, mass:SHARE,"
            + " capacity:FACTOR, noise:AMPLITUDE, available:m=M, fallback:deadline=TIME; see docs/routing.md."
            + " Default: exact.";

    @Option(names = "--policy", paramLabel = POLICY_LABEL, description = POLICY)
    private String policy = "exact";

    @Override
    RouterPolicy policy() {
        return RouterPolicy.parse(policy);
    }
}
