/**
 * The command line: one class per command, over the public API of {@code dev.remora.models}.
 *
 * <p>Start at {@link dev.remora.cli.Main}. {@link dev.remora.cli.Shell} is all that a command knows of the outside
 * (streams, terminal, Ctrl-C), so that every command also runs inside a test. Never here: kernels, weights, attention,
 * file formats of models.
 */
package dev.remora.cli;
