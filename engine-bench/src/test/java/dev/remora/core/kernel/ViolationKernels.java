package dev.remora.core.kernel;

/** A kernel that starts a thread. */
public class ViolationKernels {
    Thread thread;
}
