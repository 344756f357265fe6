package dev.remora.core;

/** A file of a checkpoint is missing, damaged or contradicts another. */
public class CheckpointException extends RemoraException {
    private static final long serialVersionUID = 1L;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
