package dev.remora.models;

/** Lets steps in until it closes, and closes when the last of them is out. Entering and leaving allocate nothing. */
final class Gate {
    private static final String CLOSED = "the model is closed, and its sessions with it";

    private int inside;
    private boolean closed;

    /** @throws IllegalStateException if the model is closed */
    synchronized void enter() {
        check();
        inside++;
    }

    /** @throws IllegalStateException if the model is closed */
    synchronized void check() {
        if (closed) {
            throw new IllegalStateException(CLOSED);
        }
    }

    synchronized void leave() {
        inside--;
        notifyAll();
    }

    /**
     * Lets nobody in any more, then waits until nobody is inside. An interrupt is kept for the caller and shortens
     * nothing.
     */
    synchronized void close() {
        closed = true;
        boolean interrupted = false;
        while (inside > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
