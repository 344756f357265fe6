package dev.remora.core;

/** The root of every error that Remora reports. Messages name the thing, what was expected and found, and the cure. */
public class RemoraException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RemoraException(String message) {
        super(message);
    }

    public RemoraException(String message, Throwable cause) {
        super(message, cause);
    }
}
