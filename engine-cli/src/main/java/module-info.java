/** The command line. An application: nothing depends on it, and nothing of it is exported. */
module dev.remora.cli {
    requires dev.remora.models;
    requires info.picocli;
    requires java.logging;
    requires java.management;
    // Not static: this makes "java -m" resolve the vector kernels without a flag.
    requires jdk.incubator.vector;
    // JLine reaches sun.misc.Signal by reflection, to hear Ctrl-C.
    requires jdk.unsupported;
    requires org.jline.reader;
    requires org.slf4j;

    opens dev.remora.cli to
            info.picocli;
}
