package dev.remora.core.template;

/** What stands behind {@code |}: a function of a value and arguments. */
@FunctionalInterface
interface Filter {
    Object apply(Object value, Args args);
}
