package dev.remora.models;

import dev.remora.core.kernel.VectorSupport;

/** Makes a test run on the vector kernels, where there are any, and not on the scalar ones that stand in for them. */
public final class VectorKernels {
    private VectorKernels() {}

    /** Waits until a warm-up that an earlier load began is over. */
    public static void await() {
        while (VectorSupport.VECTOR && !VectorSupport.active()) {
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
