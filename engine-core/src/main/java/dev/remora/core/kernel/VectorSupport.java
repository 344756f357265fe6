package dev.remora.core.kernel;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Decides once, before the first kernel class loads, whether the Vector API is used and at which width.
 *
 * <p>The system property {@code remora.kernels} overrides the decision: {@code auto} (default), {@code scalar}, {@code
 * 128}, {@code 256} or {@code 512}.
 */
public final class VectorSupport {
    /** The property that overrides the choice. */
    public static final String PROPERTY = "remora.kernels";

    /** False where fused multiply-add has no instruction: {@code Math.fma} would then compute in BigDecimal. */
    public static final boolean FMA = fusedMultiplyAdd();

    private static final Decision DECISION = decide(System.getProperty(PROPERTY, "auto"));

    /** Width of the vectors in bits; 0 where the scalar kernels run. */
    public static final int BITS = DECISION.bits;

    /** True if the Vector API runs. */
    public static final boolean VECTOR = BITS != 0;

    private static final AtomicBoolean WARMED = new AtomicBoolean();
    /** Id of the thread that warms kernels up; 0: none, ids are positive. */
    private static volatile long warmer;

    private VectorSupport() {}

    /**
     * True if the vector kernels are to be used by the calling thread now. The scalar kernels give the same bits, so the
     * answer may change at any call.
     */
    public static boolean active() {
        if (!VECTOR) {
            return false;
        }
        long id = warmer;
        return id == 0 || id == Thread.currentThread().threadId();
    }

    /**
     * Lets the calling thread exercise the vector kernels while all others use the scalar ones: until the second compiler
     * has seen them, vectors are boxed and a hundred times slower than plain loops. Once per process; later calls return
     * at once.
     */
    public static void warmUp(Runnable exercise) {
        if (VECTOR && WARMED.compareAndSet(false, true)) {
            warmer = Thread.currentThread().threadId();
            try {
                exercise.run();
            } finally {
                warmer = 0;
            }
        }
    }

    /** Why this width was chosen, in one sentence for {@code doctor} and logs. */
    public static String reason() {
        return DECISION.reason;
    }

    /** True if the scalar kernels run although nobody asked for them: worth a warning, with the cure in {@link #reason}. */
    public static boolean unexpectedlyScalar() {
        return DECISION.unexpected;
    }

    private record Decision(int bits, String reason, boolean unexpected) {}

    private static Decision decide(String wish) {
        int wanted = switch (wish.toLowerCase(Locale.ROOT)) {
            case "auto" -> -1;
            case "scalar" -> 0;
            case "128" -> 128;
            case "256" -> 256;
            case "512" -> 512;
            default ->
                throw new IllegalArgumentException(
                        "-D" + PROPERTY + ": expected auto, scalar, 128, 256 or 512, found \"" + wish + "\"");
        };
        if (wanted == 0) {
            return new Decision(0, "asked for by -D" + PROPERTY + "=scalar", false);
        }
        String obstacle = obstacle();
        if (obstacle != null) {
            return new Decision(0, obstacle, true);
        }
        int widest = VectorShapes.Widest.bits();
        if (wanted > widest) {
            return new Decision(
                    widest,
                    "-D" + PROPERTY + "=" + wanted + " exceeds what this JVM offers, " + widest + " bits",
                    false);
        }
        if (wanted > 0) {
            return new Decision(wanted, "asked for by -D" + PROPERTY + "=" + wanted, false);
        }
        return new Decision(widest, "the widest that this JVM offers on this CPU", false);
    }

    private static String obstacle() {
        String vm = System.getProperty("java.vm.name", "");
        String info = System.getProperty("java.vm.info", "");
        if (!vm.contains("HotSpot") && !vm.contains("OpenJDK")) {
            return "the JVM is " + vm + "; vector kernels need HotSpot with the C2 compiler";
        }
        if (info.contains("emulated-client") || info.contains("interpreted")) {
            return "the JVM runs without the C2 compiler (" + info + "); remove -XX:TieredStopAtLevel or -Xint";
        }
        if (!FMA) {
            return "this CPU, or -XX:UseAVX=0, offers no fused multiply-add";
        }
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return "the module jdk.incubator.vector is missing; start java with --add-modules jdk.incubator.vector";
        }
        try {
            return VectorShapes.Widest.bits() < 128 ? "this CPU offers no vectors of 128 bits or more" : null;
        } catch (LinkageError e) {
            return "the Vector API of this JDK differs from the one of JDK 25 (" + e + ")";
        }
    }

    private static boolean fusedMultiplyAdd() {
        try {
            var bean = ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
            return bean != null
                    && Boolean.parseBoolean(bean.getVMOption("UseFMA").getValue());
        } catch (LinkageError | RuntimeException e) {
            // Without the management module the question has no answer; every CPU of the last ten years has it.
            return true;
        }
    }
}
