package dev.remora.models;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks on this machine that the kernels in use, once compiled, give the bits that their definition gives: a chain of
 * fused multiply-adds in plain Java. For {@code doctor}; takes about a second.
 */
public final class SelfTest {
    /** Enough calls for the second compiler to have replaced the interpreter's answers by its own. */
    private static final int CALLS = 1_000;

    private SelfTest() {}

    /**
     * One kernel.
     *
     * @param kernel for example {@code F8_E4M3, one row}
     * @param passed false if a bit differed
     */
    public record Result(String kernel, boolean passed) {}

    /** Runs all checks. */
    public static List<Result> run() {
        List<Result> results = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (KernelTrial.Operation operation : new KernelTrial(arena).operations()) {
                boolean passed = true;
                for (int call = 0; call < CALLS; call++) {
                    operation.run().run();
                    passed &= operation.check().getAsBoolean();
                }
                results.add(new Result(operation.name(), passed));
            }
        }
        return results;
    }
}
