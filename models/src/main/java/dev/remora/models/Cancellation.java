package dev.remora.models;

/** The wish that one piece of work should end; once uttered it stands. */
final class Cancellation {
    private volatile boolean requested;

    void request() {
        requested = true;
    }

    /** True if the work should end, because someone said so or the thread was interrupted; its flag is left set. */
    boolean wanted() {
        return requested || Thread.currentThread().isInterrupted();
    }
}
