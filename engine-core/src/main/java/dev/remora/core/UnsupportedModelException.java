package dev.remora.core;

/** The checkpoint is sound, but asks for something that this version does not implement; the message names it. */
public class UnsupportedModelException extends RemoraException {
    private static final long serialVersionUID = 1L;

    public UnsupportedModelException(String message) {
        super(message);
    }

    public UnsupportedModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
