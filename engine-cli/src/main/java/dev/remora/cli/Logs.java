package dev.remora.cli;

import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Where the library's log goes: warnings to standard error, all of it with {@code --verbose}. */
final class Logs {
    /** Held here because the log manager itself would forget the level with the logger. */
    private static final Logger REMORA = Logger.getLogger("dev.remora");

    private Logs() {}

    static void configure(Shell shell, boolean verbose) {
        LogManager.getLogManager().reset();
        Logger root = Logger.getLogger("");
        root.setLevel(Level.WARNING);
        root.addHandler(new ShellHandler(shell));
        REMORA.setLevel(verbose ? Level.ALL : null);
    }

    /** One line for each message. */
    private static final class ShellHandler extends Handler {
        private final Shell shell;

        ShellHandler(Shell shell) {
            this.shell = shell;
        }

        @Override
        public void publish(LogRecord entry) {
            boolean warning = entry.getLevel().intValue() >= Level.WARNING.intValue();
            String level = warning ? Style.yellow("warning", shell.errColours()) : "log";
            shell.note("remora: " + level + ": " + entry.getMessage());
            if (entry.getThrown() != null && REMORA.getLevel() != null) {
                entry.getThrown().printStackTrace(shell.err());
            }
        }

        @Override
        public void flush() {
            shell.err().flush();
        }

        @Override
        public void close() {}
    }
}
