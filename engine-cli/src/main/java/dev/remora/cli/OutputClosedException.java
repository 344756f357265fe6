package dev.remora.cli;

/** Nobody reads standard output any more ({@code | head -1}): stop quietly. */
final class OutputClosedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutputClosedException() {
        super("standard output was closed", null, false, false);
    }
}
