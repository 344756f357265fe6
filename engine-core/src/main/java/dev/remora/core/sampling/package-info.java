/**
 * From a row of logits to one token id.
 *
 * <p>Start at {@link dev.remora.core.sampling.Sampler}; {@link dev.remora.core.sampling.SamplingParams} says what can
 * be asked for. Never here: text, stop strings, the forward pass.
 */
package dev.remora.core.sampling;
