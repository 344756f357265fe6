package dev.remora.core;

/** More tokens were asked for than the session's context holds. */
public class ContextOverflowException extends RemoraException {
    private static final long serialVersionUID = 1L;

    public ContextOverflowException(String message) {
        super(message);
    }
}
