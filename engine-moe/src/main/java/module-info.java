/** Mixture of experts, DeepSeek style: router, experts and their sum. */
module dev.remora.moe {
    requires transitive dev.remora.core;

    exports dev.remora.moe;
    exports dev.remora.moe.control;
    exports dev.remora.moe.policy;
}
