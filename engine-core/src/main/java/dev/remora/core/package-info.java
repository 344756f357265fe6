/**
 * The contracts of the engine: rows, weights, attention, feed-forward, cache, threads and errors.
 *
 * <p>Everything is computed on blocks of {@code n} rows, (n, hidden_size), row-major f32. Start at {@link
 * dev.remora.core.Weight}. Never here: a model family, a tokenizer, a file format of weights other than the dense ones.
 */
package dev.remora.core;
