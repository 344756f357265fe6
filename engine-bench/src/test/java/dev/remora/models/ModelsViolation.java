package dev.remora.models;

import dev.remora.bench.BenchViolation;
import dev.remora.cli.CliViolation;
import dev.remora.core.CoreViolation;
import dev.remora.core.kernel.ViolationKernels;

/** Models that know the front ends and a kernel, and close a cycle with core. */
public class ModelsViolation {
    CoreViolation below;
    CliViolation frontEnd;
    BenchViolation bench;
    ViolationKernels kernels;
}
