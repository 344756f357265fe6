/**
 * Measures: the machine, and a model on it. Start at {@link dev.remora.models.bench.MachineProbe}.
 *
 * <p>Never here: text, sessions, output.
 */
package dev.remora.models.bench;
