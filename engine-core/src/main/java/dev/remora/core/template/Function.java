package dev.remora.core.template;

/** Something that a template can call. */
@FunctionalInterface
interface Function {
    Object call(Args args);
}
