/**
 * What all benchmarks of kernels share. Start at {@link dev.remora.bench.support.KernelBenchmark}: a family is built,
 * compared with a plain specification, then timed as a share of what this machine can do.
 *
 * <p>Never here: a kernel, or what belongs to one family.
 */
package dev.remora.bench.support;
