package dev.remora.cli;

/** The exit codes, the same for every command. */
final class ExitCode {
    static final int OK = 0;
    static final int FAILURE = 1;
    /** A wrong option, argument or input text. */
    static final int USAGE = 2;
    /** A missing, damaged or unsupported model. */
    static final int BAD_MODEL = 3;
    /** Too little memory, or more tokens than the context holds. */
    static final int EXHAUSTED = 4;
    /** Ctrl-C: 128 + SIGINT. */
    static final int INTERRUPTED = 130;
    /** The reader of standard output went away: 128 + SIGPIPE, as a shell reports other tools in that case. */
    static final int OUTPUT_CLOSED = 141;

    private ExitCode() {}
}
