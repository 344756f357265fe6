package dev.remora.models.bench;

/**
 * What one phase of a step must read and compute, whoever computes it.
 *
 * @param name  for example {@code routed experts}
 * @param bytes of weights and cache, each read once
 * @param flops multiplications and additions of matrix products
 */
public record PhaseCost(String name, long bytes, double flops) {}
