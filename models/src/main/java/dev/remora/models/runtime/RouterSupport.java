package dev.remora.models.runtime;

import dev.remora.moe.MoeConfig;
import dev.remora.moe.policy.RouterPolicy;
import java.util.Optional;

/** Whether a model can follow a policy. */
public final class RouterSupport {
    private RouterSupport() {}

    /**
     * Makes sure that it can.
     *
     * @param config of the sparse layers; empty: there are none
     * @throws IllegalArgumentException if the model cannot do what the policy asks for
     */
    public static void require(Optional<MoeConfig> config, RouterPolicy policy) {
        if (config.isPresent()) {
            config.get().requireSupports(policy);
        } else if (!policy.isExact()) {
            throw new IllegalArgumentException(
                    "policy: expected exact, because the model has no routed experts, found " + policy);
        }
    }
}
