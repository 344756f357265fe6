/**
 * Models with the geometry of released ones and random weights, made in memory in seconds: what speed is measured with
 * where no checkpoint of that size is at hand. Start at {@link dev.remora.models.synthetic.SyntheticModel}.
 *
 * <p>Never here: weights that mean anything, kernels, measurements.
 */
package dev.remora.models.synthetic;
