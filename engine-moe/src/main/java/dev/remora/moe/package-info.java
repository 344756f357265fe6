/**
 * Mixture of experts, DeepSeek style (arXiv:2412.19437, 2.1.2).
 *
 * <p>Start at {@link dev.remora.moe.MixtureOfExperts#forward}: {@link dev.remora.moe.Router} picks experts (15)(16) and
 * weighs them (13), the chosen ones run grouped by expert beside the shared one, and their outputs are added to it (12) in
 * ascending order of the expert. So a row's output has the same bits whatever other rows share its step.
 *
 * <p>A {@link dev.remora.moe.policy.RouterPolicy}, set on the {@link dev.remora.moe.MoeWorkspace}, may change the choice:
 * {@code ActivePolicy} runs its parts, a class for each, over the {@code Candidates} that the router names. docs/routing.md
 * has the rules.
 *
 * <p>Shapes: h and out (n, hidden_size); experts and weights of {@link dev.remora.moe.Routing} (n, at most num_experts_per_tok).
 *
 * <p>Never here: attention, checkpoints and files, formats of weights, threads of its own.
 */
package dev.remora.moe;
