package dev.remora.core.template;

/** An error in an operation that does not know its line; the evaluator turns it into a {@link TemplateException}. */
final class PyError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PyError(String message) {
        super(message);
    }
}
