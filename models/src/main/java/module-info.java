/** Families, assembly, sessions and generation: the library that applications use. Entry: {@code Llm}. */
module dev.remora.models {
    requires transitive dev.remora.core;

    exports dev.remora.models;
}
