package dev.remora.core.template;

import dev.remora.core.RemoraException;

/**
 * A chat template that cannot be read or rendered; its message starts with the template's source and line. This is also
 * what a template's own {@code raise_exception} throws.
 */
public final class TemplateException extends RemoraException {
    private static final long serialVersionUID = 1L;

    private final int line;
    private final String reason;

    TemplateException(String source, int line, String reason, Throwable cause) {
        super(source + ", line " + line + ": " + reason, cause);
        this.line = line;
        this.reason = reason;
    }

    /** Line of the template, from 1. */
    public int line() {
        return line;
    }

    /** What went wrong, without source and line: the template's own words where it called {@code raise_exception}. */
    public String reason() {
        return reason;
    }
}
