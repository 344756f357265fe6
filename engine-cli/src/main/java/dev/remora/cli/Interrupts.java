package dev.remora.cli;

import org.jline.utils.Signals;

/**
 * What Ctrl-C does. While a command has an action set, the first Ctrl-C runs it and the command ends in its own way; a
 * second one, or one while nothing is set, ends the process at once.
 */
final class Interrupts {
    private final Runnable halt;
    private Runnable action;
    private boolean happened;

    /** Interrupts that end the process by {@code halt}. */
    Interrupts(Runnable halt) {
        this.halt = halt;
    }

    /** Makes the process's SIGINT arrive here. */
    void listen() {
        Signals.register("INT", this::signal);
    }

    /** Ctrl-C was pressed. Any thread. */
    void signal() {
        Runnable now;
        synchronized (this) {
            now = happened || action == null ? halt : action;
            happened = true;
        }
        now.run();
    }

    /** True if Ctrl-C was pressed since an action was last set. */
    synchronized boolean happened() {
        return happened;
    }

    /** Sets what the next Ctrl-C does, until the scope is closed. */
    synchronized Scope during(Runnable onInterrupt) {
        action = onInterrupt;
        happened = false;
        return this::clear;
    }

    private synchronized void clear() {
        action = null;
    }

    /** The time during which an action is set. */
    interface Scope extends AutoCloseable {
        @Override
        void close();
    }
}
