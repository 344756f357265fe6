package dev.remora.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** How many characters fit on a line. */
final class TerminalWidth {
    private static final int USUAL = 80;
    private static final int NARROWEST = 40;

    private TerminalWidth() {}

    /** What COLUMNS says, or the terminal itself; 80 where neither is known. */
    static int of(Shell shell) {
        int columns = number(shell.environment().getOrDefault("COLUMNS", ""));
        if (columns == 0 && shell.outTerminal() && shell.inTerminal()) {
            columns = ask();
        }
        return columns == 0 ? USUAL : Math.max(NARROWEST, columns);
    }

    private static int ask() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String answer = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
            stty.waitFor(1, TimeUnit.SECONDS);
            return number(answer.substring(answer.indexOf(' ') + 1));
        } catch (IOException e) {
            return 0; // no such command
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    private static int number(String text) {
        return text.matches("[1-9][0-9]{0,3}") ? Integer.parseInt(text) : 0;
    }
}
