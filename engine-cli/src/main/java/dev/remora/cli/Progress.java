package dev.remora.cli;

import dev.remora.models.LoadProgress;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/**
 * Loading progress on standard error, where it takes long: one line that updates itself on a terminal, now and then a new
 * line elsewhere. Called from the loading threads.
 */
final class Progress implements Consumer<LoadProgress>, AutoCloseable {
    private static final long MILLISECOND = 1_000_000;
    private static final String ERASE_LINE = "\r\u001b[K";

    private final Shell shell;
    private final long quiet;
    private final long pause;
    private boolean begun;
    private long next;
    private boolean drawn;
    private volatile boolean interrupted;

    Progress(Shell shell) {
        this.shell = shell;
        quiet = (shell.errTerminal() ? 500 : 2_000) * MILLISECOND;
        pause = (shell.errTerminal() ? 100 : 10_000) * MILLISECOND;
    }

    /** While the scope is open, the first Ctrl-C makes the next report of progress throw, which ends what is done. */
    Interrupts.Scope untilInterrupted() {
        return shell.interrupts().during(() -> interrupted = true);
    }

    /** @throws CancellationException after Ctrl-C, if that is waited for */
    @Override
    public synchronized void accept(LoadProgress progress) {
        if (interrupted) {
            throw new CancellationException("interrupted");
        }
        long now = System.nanoTime();
        if (!begun) {
            begun = true;
            next = now + quiet;
        }
        if (now - next < 0) {
            return;
        }
        next = now + pause;
        String line = line(progress);
        if (shell.errTerminal()) {
            shell.err().print(ERASE_LINE + line);
            shell.err().flush();
            drawn = true;
        } else {
            shell.note(line);
        }
    }

    /** Takes the updating line away. */
    @Override
    public synchronized void close() {
        if (drawn) {
            shell.err().print(ERASE_LINE);
            shell.err().flush();
            drawn = false;
        }
    }

    static String line(LoadProgress progress) {
        if (progress.bytesTotal() <= 0) {
            return progress.what();
        }
        long percent = 100 * progress.bytesDone() / progress.bytesTotal();
        return progress.what() + ": " + percent + " % of " + Units.bytes(progress.bytesTotal());
    }
}
