package dev.remora.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Where the lines of a conversation come from. */
interface LineInput extends AutoCloseable {
    /**
     * The next line.
     *
     * @return null at the end of the input
     * @throws Interrupted if Ctrl-C was pressed instead
     */
    String read() throws Interrupted;

    @Override
    default void close() {}

    /** Ctrl-C was pressed while a line was awaited. */
    final class Interrupted extends Exception {
        private static final long serialVersionUID = 1L;

        /** True if the line had text, which is dropped. */
        final boolean midLine;

        Interrupted(boolean midLine) {
            super("Ctrl-C", null, false, false);
            this.midLine = midLine;
        }
    }

    /** A line editor on a terminal, and plain lines everywhere else, or where the terminal is unknown. */
    static LineInput open(Shell shell, boolean history) {
        if (shell.inTerminal() && shell.outTerminal()) {
            try {
                return TerminalInput.open(shell, history);
            } catch (IOException | RuntimeException | LinkageError e) {
                shell.note("remora chat: no line editing here: " + e.getMessage());
            }
        }
        return plain(shell);
    }

    /** Lines of standard input, UTF-8. */
    static LineInput plain(Shell shell) {
        return new LineInput() {
            private long offset;

            @Override
            public String read() {
                if (shell.inTerminal()) {
                    shell.print("> ");
                }
                ByteArrayOutputStream line = new ByteArrayOutputStream();
                try {
                    int b = shell.in().read();
                    for (; b >= 0 && b != '\n'; b = shell.in().read()) {
                        line.write(b);
                    }
                    if (b < 0 && line.size() == 0) {
                        return null;
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(Input.STDIN + ": " + e.getMessage(), e);
                }
                String text = Input.utf8(line.toByteArray(), offset, Input.STDIN);
                offset += line.size() + 1;
                return text;
            }
        };
    }
}
