package dev.remora.models.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;

/** Tells when the compiler has settled: some steps in a row, during which it hardly worked. */
final class Settling {
    private static final int QUIET_STEPS = 3;

    /** Compiler time of a quiet step, as a share of the step. */
    private static final double QUIET_SHARE = 0.02;

    /** A step of seconds runs each kernel thousands of times: one quiet step is enough. */
    private static final double LONG_STEP = 1;

    private static final int MAX_STEPS = 200;
    private static final double MAX_SECONDS = 30;

    private final CompilationMXBean compiler = compiler();
    private long begun;
    private long stepStart;
    private long compiled;
    private int steps;
    private int quiet;
    private boolean longStep;

    void begin() {
        begun = System.nanoTime();
        stepStart = begun;
        compiled = compilerMillis();
        steps = 0;
        quiet = 0;
        longStep = false;
    }

    /** A step of the workload is done. */
    void stepDone() {
        long now = System.nanoTime();
        long total = compilerMillis();
        double step = (now - stepStart) / 1e9;
        boolean calm = compiler == null ? steps >= QUIET_STEPS : (total - compiled) / 1e3 <= QUIET_SHARE * step;
        quiet = calm ? quiet + 1 : 0;
        longStep = step > LONG_STEP;
        compiled = total;
        stepStart = now;
        steps++;
    }

    boolean settled() {
        double seconds = (stepStart - begun) / 1e9;
        return quiet >= (longStep ? 1 : QUIET_STEPS) || steps >= MAX_STEPS || (steps > 0 && seconds > MAX_SECONDS);
    }

    private long compilerMillis() {
        return compiler == null ? 0 : compiler.getTotalCompilationTime();
    }

    /** Null where nobody counts. */
    private static CompilationMXBean compiler() {
        try {
            CompilationMXBean bean = ManagementFactory.getCompilationMXBean();
            return bean != null && bean.isCompilationTimeMonitoringSupported() ? bean : null;
        } catch (LinkageError e) {
            return null;
        }
    }
}
