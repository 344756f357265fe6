package dev.remora.core;

/** The machine, or the limit set on this process, has less memory than the model needs. */
public class InsufficientMemoryException extends RemoraException {
    private static final long serialVersionUID = 1L;

    public InsufficientMemoryException(String message) {
        super(message);
    }
}
