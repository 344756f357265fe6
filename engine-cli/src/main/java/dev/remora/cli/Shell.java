package dev.remora.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The outside as a command sees it: streams, whether they are terminals, the environment, Ctrl-C.
 *
 * @param environment the environment variables
 */
record Shell(
        InputStream in,
        PrintStream out,
        PrintStream err,
        boolean inTerminal,
        boolean outTerminal,
        boolean errTerminal,
        Map<String, String> environment,
        Interrupts interrupts) {

    /** Streams that are no terminal, as in a pipe. */
    static Shell piped(InputStream in, PrintStream out, PrintStream err) {
        Interrupts interrupts = new Interrupts(() -> {});
        return new Shell(in, out, err, false, false, false, Map.of(), interrupts);
    }

    /** This process's streams. */
    static Shell ofProcess(PrintStream out, PrintStream err) {
        Interrupts interrupts = new Interrupts(() -> Runtime.getRuntime().halt(ExitCode.INTERRUPTED));
        interrupts.listen();
        return new Shell(System.in, out, err, isTerminal(0), isTerminal(1), isTerminal(2), System.getenv(), interrupts);
    }

    /** Writes to standard output; it may stay in the buffer until {@link #flush}. */
    void write(String text) {
        out.print(text);
    }

    /** Writes to standard output at once. */
    void print(String text) {
        out.print(text);
        flush();
    }

    /** @throws OutputClosedException if nobody reads standard output any more */
    void flush() {
        out.flush();
        if (out.checkError()) {
            throw new OutputClosedException();
        }
    }

    /** Writes a line to standard error. */
    void note(String line) {
        err.println(line);
        err.flush();
    }

    /** True if colours are wanted on standard output. */
    boolean outColours() {
        return outTerminal && colours();
    }

    /** True if colours are wanted on standard error. */
    boolean errColours() {
        return errTerminal && colours();
    }

    private boolean colours() {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "").equals("dumb");
    }

    /** All of standard input. */
    byte[] readInput() {
        try {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("standard input: " + e.getMessage(), e);
        }
    }

    /** True if standard output is known to go to a file or a device, not into a pipe. */
    static boolean outputIsFile() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/1")).isAbsolute();
        } catch (IOException | UnsupportedOperationException e) {
            return false; // not Linux
        }
    }

    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            // Not Linux. The console knows about standard input and output only, and about both at once.
            return System.console().isTerminal();
        }
    }
}
