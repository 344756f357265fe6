/** The contracts of the engine and its dense ground floor. Everything else depends on this module; it depends on the JDK. */
module dev.remora.core {
    requires org.slf4j;
    requires tools.jackson.core;
    // static: the engine also runs, slower, where the incubator module was not resolved.
    requires static jdk.incubator.vector;
    requires static jdk.management;
    // Direct reads; without it files are read through the page cache.
    requires static jdk.unsupported;

    exports dev.remora.core;
    exports dev.remora.core.checkpoint;
    exports dev.remora.core.json;
    exports dev.remora.core.kernel;
    exports dev.remora.core.sampling;
    exports dev.remora.core.template;
    exports dev.remora.core.tokenizer;
    exports dev.remora.core.weight;
}
