/**
 * What may change a router's choice, as plain values: written by applications and command lines, read by {@link
 * dev.remora.moe.Router} and its layer.
 *
 * <p>Start at {@link dev.remora.moe.policy.RouterPolicy}. Never here: scores, experts, anything that runs.
 */
package dev.remora.moe.policy;
