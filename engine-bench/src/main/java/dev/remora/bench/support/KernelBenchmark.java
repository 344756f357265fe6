package dev.remora.bench.support;

import dev.remora.core.ThreadTeam;
import dev.remora.models.bench.MachineLimits;
import dev.remora.models.bench.MachineProbe;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One family of kernels. Before anything is timed its result is compared with a specification, in double and without the
 * Vector API, and the machine's limits are measured in the same process.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public abstract class KernelBenchmark {
    /** Sizes of the real models. */
    public static final String FULL = "full";

    /** Sizes that only show whether results are right. */
    public static final String TINY = "tiny";

    /** Rows of a tiny result that are verified. */
    private static final int MOST_OF_TINY = 64;

    @Param(FULL)
    public String size;

    private Arena arena;
    private ThreadTeam team;
    private MachineLimits limits;
    private int turn;

    /** Builds, runs once, verifies. */
    @Setup
    public final void prepare() {
        limits = Machine.limits(threads(), tiny());
        arena = Arena.ofShared();
        build(arena);
        invoke();
        verify(result());
    }

    @TearDown
    public final void release() {
        close();
        arena.close();
        if (team != null) {
            team.close();
        }
    }

    @Benchmark
    public final void run(Work work) {
        work.add(invoke());
    }

    /** Makes weights, inputs and what runs them; native memory comes from the arena. */
    protected abstract void build(Arena memory);

    /** Runs the kernels once, on the next copy of what must not stay in the caches, and tells what that took. */
    protected abstract Cost invoke();

    /** The result of the last invocation. */
    protected abstract float[] result();

    /**
     * Compares a result with the specification.
     *
     * @throws IllegalStateException if they differ by more than rounding
     */
    protected abstract void verify(float[] found);

    /** Frees what lies outside of the arena. */
    protected void close() {}

    /** Threads that the family uses. */
    protected int threads() {
        return 1;
    }

    protected final boolean tiny() {
        return switch (size) {
            case FULL -> false;
            case TINY -> true;
            default -> throw new IllegalArgumentException("size: expected full or tiny, found " + size);
        };
    }

    /** A dimension of a real model, or a sixteenth of it. */
    protected final int scaled(int dimension) {
        return tiny() ? Math.ceilDiv(dimension, 16) : dimension;
    }

    /** Which of n things are verified: up to {@code most}, evenly spread, the first and the last among them. */
    protected final int[] checked(int n, int most) {
        return Check.sample(n, tiny() ? Math.max(most, MOST_OF_TINY) : most);
    }

    /** The team of {@link #threads}, made at the first call. */
    protected final ThreadTeam team(int maxRows) {
        if (team == null) {
            team = new ThreadTeam(threads(), maxRows);
        }
        return team;
    }

    /** What one phase takes at least: its bytes can be read while it computes. */
    protected final Cost cost(long bytes, double flops) {
        return new Cost((double) bytes, flops, limits.seconds((double) bytes, flops));
    }

    /** Copies of something so large that together they fill more than the caches. */
    protected final int copies(long bytes) {
        return tiny() ? 2 : Math.toIntExact(Math.max(2, Math.ceilDiv(MachineProbe.USUAL_BYTES, bytes)));
    }

    /** Which of so many copies is next. */
    protected final int next(int copies) {
        turn = turn + 1 < copies ? turn + 1 : 0;
        return turn;
    }
}
