/**
 * Measures: the machine, and a model on it. Start at {@link dev.remora.models.bench.Benchmark} for a model, at {@link
 * dev.remora.models.bench.MachineProbe} for the machine alone.
 *
 * <p>A figure is given with the share that it is of a limit, and the limit is counted, not guessed: {@code StepAccount}
 * adds up what each phase of a step has to read and to compute, {@link dev.remora.models.bench.MachineLimits} tells how
 * long that takes at least.
 *
 * <p>Never here: text, sessions, output.
 */
package dev.remora.models.bench;
