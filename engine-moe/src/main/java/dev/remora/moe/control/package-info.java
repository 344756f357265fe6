/**
 * Adapting and guarding a policy while a model runs. Pure: what was measured comes in, the policy of the next step and the
 * reason come out; time comes from a clock that is handed over.
 *
 * <p>Start at {@link dev.remora.moe.control.PolicyLoop}, which an engine asks before each step. Never here: threads, steps,
 * logging.
 */
package dev.remora.moe.control;
