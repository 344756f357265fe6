package dev.remora.mla;

import java.nio.file.Path;
import java.util.logging.Logger;
import jdk.incubator.vector.FloatVector;

/** Attention that takes a file, vectors outside a kernel, and what no library does. */
public class MlaViolation {
    static int state;
    static final Logger LOG = Logger.getLogger("mla");

    Path file;
    FloatVector vector;

    native void call();

    @SuppressWarnings("restricted")
    void print() {
        System.out.println(state++);
        System.loadLibrary("c");
        System.exit(1);
    }
}
