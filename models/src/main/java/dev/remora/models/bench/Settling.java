package dev.remora.models.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;

/**
 * Tells when the compiler has settled: some steps in a row, and some seconds, during which it hardly worked. It counts a
 * method when that is done, and the largest take a second or two.
 */
final class Settling {
    private static final int QUIET_STEPS = 3;

    /** Compiler time of a quiet step, as a share of the step. */
    private static final double QUIET_SHARE = 0.02;

    private static final double USUAL_QUIET_SECONDS = 3;

    /** Steps of a compiler that is not watched. */
    private static final int BLIND_STEPS = 30;

    private static final double MAX_SECONDS = 30;

    private final CompilationMXBean compiler = compiler();
    private final double quietSecondsWanted;
    private long begun;
    private long stepStart;
    private long compiled;
    private int steps;
    private int quiet;
    private long quietSince;

    Settling() {
        this(USUAL_QUIET_SECONDS);
    }

    Settling(double quietSeconds) {
        quietSecondsWanted = quietSeconds;
    }

    void begin() {
        begun = System.nanoTime();
        stepStart = begun;
        compiled = compilerMillis();
        steps = 0;
        quiet = 0;
        quietSince = begun;
    }

    /** A step of the workload is done. */
    void stepDone() {
        long now = System.nanoTime();
        long total = compilerMillis();
        boolean calm = (total - compiled) / 1e3 <= QUIET_SHARE * (now - stepStart) / 1e9;
        if (calm) {
            quiet++;
        } else {
            quiet = 0;
            quietSince = now;
        }
        compiled = total;
        stepStart = now;
        steps++;
    }

    boolean settled() {
        if (compiler == null) {
            return steps >= BLIND_STEPS || seconds(begun) > quietSecondsWanted;
        }
        // A step of seconds runs each kernel thousands of times: one quiet step is enough.
        double quietSeconds = seconds(quietSince);
        return (quiet > 0 && quietSeconds > quietSecondsWanted && (quiet >= QUIET_STEPS || quietSeconds / quiet > 1))
                || (steps > 0 && seconds(begun) > MAX_SECONDS);
    }

    /** Seconds from a moment to the end of the last step. */
    private double seconds(long from) {
        return (stepStart - from) / 1e9;
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
