/** Families, assembly, sessions and generation: the library that applications use. Entry: {@code Llm}. */
module dev.remora.models {
    requires transitive dev.remora.core;
    requires dev.remora.fp8;
    requires dev.remora.mla;
    requires transitive dev.remora.moe;
    requires jdk.jfr;
    requires org.slf4j;
    requires static jdk.management;

    exports dev.remora.models;
    exports dev.remora.models.bench;
    exports dev.remora.models.convert;
    exports dev.remora.models.eval;
    exports dev.remora.models.synthetic;
}
