package dev.remora.cli;

import dev.remora.core.CheckpointException;
import dev.remora.core.ContextOverflowException;
import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.RemoraException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.template.TemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;

/** Every failure ends here: one message on standard error, one exit code. */
final class Failures {
    private Failures() {}

    /**
     * Reports a failure and returns its exit code.
     *
     * @param command as the user typed it, {@code remora generate}
     * @param verbose whether to show the stack trace
     */
    static int report(Throwable failure, String command, boolean verbose, Shell shell) {
        if (failure instanceof OutputClosedException) {
            return ExitCode.OUTPUT_CLOSED;
        }
        if (failure instanceof CancellationException && shell.interrupts().happened()) {
            return ExitCode.INTERRUPTED;
        }
        if (failure instanceof ExceptionInInitializerError
                && failure.getCause() instanceof IllegalArgumentException e) {
            // A class refuses a system property that it reads once, as -Dremora.kernels.
            return report(new UsageException(e.getMessage(), e), command, verbose, shell);
        }
        say(command, message(failure), shell);
        if (verbose) {
            failure.printStackTrace(shell.err());
        }
        return code(failure);
    }

    /** Prints an error message. */
    static void say(String command, String message, Shell shell) {
        shell.note(Style.red(command + ": ", shell.errColours()) + message);
    }

    private static int code(Throwable failure) {
        return switch (failure) {
            case UsageException e -> ExitCode.USAGE;
            case CheckpointException e -> ExitCode.BAD_MODEL;
            case UnsupportedModelException e -> ExitCode.BAD_MODEL;
            case TemplateException e -> ExitCode.BAD_MODEL;
            case ContextOverflowException e -> ExitCode.EXHAUSTED;
            case InsufficientMemoryException e -> ExitCode.EXHAUSTED;
            case OutOfMemoryError e -> ExitCode.EXHAUSTED;
            default -> ExitCode.FAILURE;
        };
    }

    private static String message(Throwable failure) {
        return switch (failure) {
            case UsageException e -> e.getMessage();
            case ContextOverflowException e -> e.getMessage() + ". On the command line, --ctx sets the context.";
            case RemoraException e -> e.getMessage();
            case OutOfMemoryError e ->
                "out of memory: " + e.getMessage() + ". A smaller --ctx or --cache bf16 needs less;"
                        + " REMORA_JAVA_OPTS=-Xmx4g gives the heap 4 GB.";
            case UncheckedIOException e -> e.getMessage();
            case IOException e -> e.getMessage() == null ? e.toString() : e.getMessage();
            default -> "unexpected failure: " + failure + ". This is a fault of Remora; --verbose shows where.";
        };
    }
}
