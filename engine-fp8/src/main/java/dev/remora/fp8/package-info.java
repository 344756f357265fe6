/**
 * Block-scaled FP8 E4M3 weights, as DeepSeek-V3 publishes them: one byte a weight and one f32 factor for each block of 128
 * x 128, {@code w = fp8 * weight_scale_inv} (the factor multiplies, despite its name). Start at {@link
 * dev.remora.fp8.Fp8Matrix}, a matrix as stored; {@link dev.remora.fp8.E4m3} draws the code.
 *
 * <p>Never here: attention, experts, files.
 */
package dev.remora.fp8;
