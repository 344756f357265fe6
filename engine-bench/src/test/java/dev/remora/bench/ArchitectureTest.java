package dev.remora.bench;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaModifier.NATIVE;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.remora.core.RemoraException;
import java.util.concurrent.Executor;

/** Who may know whom. The rules are those of docs/architecture.md; {@link ArchitectureSelfTest} shows that they can fail. */
@AnalyzeClasses(packages = "dev.remora", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    static final String CORE = "dev.remora.core..";
    static final String FP8 = "dev.remora.fp8..";
    static final String MLA = "dev.remora.mla..";
    static final String MOE = "dev.remora.moe..";
    static final String MODELS = "dev.remora.models..";
    static final String CLI = "dev.remora.cli..";
    static final String BENCH = "dev.remora.bench..";
    private static final String KERNEL = "dev.remora.core.kernel..";
    private static final String CHECKPOINT = "dev.remora.core.checkpoint..";
    /** Packages of core that deal with text: nothing below models may know them. */
    private static final String[] TEXT = {
        "dev.remora.core.tokenizer..", "dev.remora.core.template..", "dev.remora.core.sampling.."
    };

    private static final DescribedPredicate<JavaClass> LIBRARY =
            describe("in a library module", c -> !c.getPackageName().matches("dev\\.remora\\.(cli|bench)(\\..*)?"));
    private static final DescribedPredicate<JavaClass> KERNELS =
            describe("a *Kernels class", c -> outermost(c).getSimpleName().endsWith("Kernels"));
    private static final DescribedPredicate<JavaClass> THREADS = describe(
            "about threads",
            c -> c.isAssignableTo(Thread.class)
                    || c.isAssignableTo(Executor.class)
                    || c.getPackageName().startsWith("java.util.concurrent")
                    || c.getName().matches("dev\\.remora\\..*(Team|Workers|Threads?)"));

    // ---- modules, in dependency order ----

    @ArchTest
    static final ArchRule coreKnowsTheJdkTheLoggingApiAndTheJsonReader = classes()
            .that()
            .resideInAPackage(CORE)
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage(
                            CORE,
                            "java..",
                            "jdk.incubator.vector..",
                            "jdk.jfr..",
                            "org.slf4j..",
                            "tools.jackson.core..")
                    .or(resideInAPackage("com.sun.management..")));

    @ArchTest
    static final ArchRule coreOpensNoSockets = noClasses()
            .that()
            .resideInAPackage(CORE)
            .should()
            .dependOnClassesThat(resideInAPackage("java.net.http..")
                    .or(assignableTo(java.net.Socket.class))
                    .or(assignableTo(java.net.ServerSocket.class))
                    .or(resideInAPackage("java.nio.channels..")
                            .and(assignableTo(java.nio.channels.NetworkChannel.class))));

    @ArchTest
    static final ArchRule kernelsComputeAndKnowNothingElse = noClasses()
            .that()
            .resideInAPackage(KERNEL)
            // Which kernels are compiled yet is one fact for the whole process; VectorSupport keeps it.
            .and()
            .doNotHaveSimpleName("VectorSupport")
            .should()
            .dependOnClassesThat(resideInAnyPackage(CHECKPOINT, "dev.remora.core.json..", "java.nio.file..")
                    .or(resideInAnyPackage(TEXT))
                    .or(THREADS));

    @ArchTest
    static final ArchRule fp8KnowsOnlyCoreAndNoText = noClasses()
            .that()
            .resideInAPackage(FP8)
            .should()
            .dependOnClassesThat(
                    resideInAnyPackage(MLA, MOE, MODELS, CLI, BENCH).or(resideInAnyPackage(TEXT)));

    @ArchTest
    static final ArchRule mlaTakesWeightsNotFiles = noClasses()
            .that()
            .resideInAPackage(MLA)
            .should()
            .dependOnClassesThat(resideInAnyPackage(MOE, FP8, MODELS, CLI, BENCH, CHECKPOINT, "java.nio.file..")
                    .or(resideInAnyPackage(TEXT)));

    @ArchTest
    static final ArchRule moeTakesWeightsNotFiles = noClasses()
            .that()
            .resideInAPackage(MOE)
            .should()
            .dependOnClassesThat(resideInAnyPackage(MLA, FP8, MODELS, CLI, BENCH, CHECKPOINT, "java.nio.file..")
                    .or(resideInAnyPackage(TEXT)));

    @ArchTest
    static final ArchRule modelsKnowNoFrontEnd =
            noClasses().that().resideInAPackage(MODELS).should().dependOnClassesThat(resideInAnyPackage(CLI, BENCH));

    @ArchTest
    static final ArchRule modelsReachOtherModulesKernelsOnlyThroughTheirDoor = noClasses()
            .that()
            .resideInAPackage(MODELS)
            .should()
            .dependOnClassesThat(KERNELS.and(not(resideInAPackage(MODELS)))
                    .and(describe(
                            "other than Kernels itself", c -> !c.getName().equals("dev.remora.core.kernel.Kernels"))));

    @ArchTest
    static final ArchRule theCommandLineKnowsModelsAndText = noClasses()
            .that()
            .resideInAPackage(CLI)
            .should()
            .dependOnClassesThat(resideInAPackage("dev.remora..")
                    .and(not(resideInAnyPackage(CLI, MODELS, "dev.remora.core.json..")
                            .or(resideInAnyPackage(TEXT))
                            .or(assignableTo(RemoraException.class))
                            .or(describe(
                                    "a type of LoadOptions",
                                    c -> c.getName().equals("dev.remora.core.CacheFormat")
                                            || c.getPackageName().equals("dev.remora.moe.policy")
                                            || c.getName().equals("dev.remora.moe.ExpertMemory")
                                            || c.getName().equals("dev.remora.core.Activations"))))));

    @ArchTest
    static final ArchRule nothingKnowsTheBenchmarks = noClasses()
            .that()
            .resideOutsideOfPackage(BENCH)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(BENCH);

    @ArchTest
    static final ArchRule noCycles =
            slices().matching("dev.remora.(**)").should().beFreeOfCycles();

    // ---- everywhere ----

    @ArchTest
    static final ArchRule theVectorApiStaysInKernels = noClasses()
            .that(not(KERNELS)
                    .and(not(resideInAPackage(BENCH)))
                    .and(describe(
                            "other than VectorShapes",
                            c -> !outermost(c).getSimpleName().equals("VectorShapes"))))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator..");

    @ArchTest
    static final ArchRule librariesAreSilent = noClasses().that(LIBRARY).should(ACCESS_STANDARD_STREAMS);

    @ArchTest
    static final ArchRule librariesLogThroughSlf4j =
            noClasses().that(LIBRARY).should().dependOnClassesThat().resideInAPackage("java.util.logging..");

    @ArchTest
    static final ArchRule librariesHaveNoStaticState = fields().that()
            .areDeclaredInClassesThat(LIBRARY)
            .and()
            .areStatic()
            // Which kernels are compiled yet is one fact for the whole process.
            .and()
            .doNotHaveFullName("dev.remora.core.kernel.VectorSupport.warmer")
            .should()
            .beFinal();

    @ArchTest
    static final ArchRule onlyTheCommandLineEndsTheProcess = noClasses()
            .that()
            .resideOutsideOfPackage(CLI)
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class);

    @ArchTest
    static final ArchRule noNativeLibraries = noClasses()
            .should()
            .callMethod(System.class, "load", String.class)
            .orShould()
            .callMethod(System.class, "loadLibrary", String.class)
            .orShould()
            .callMethod(Runtime.class, "load", String.class)
            .orShould()
            .callMethod(Runtime.class, "loadLibrary", String.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(java.lang.foreign.Linker.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(java.lang.foreign.SymbolLookup.class)
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("sun.misc.Unsafe");

    @ArchTest
    static final ArchRule noNativeMethods =
            methods().that().areDeclaredInClassesThat(alwaysTrue()).should().notHaveModifier(NATIVE);

    private static JavaClass outermost(JavaClass c) {
        return c.getEnclosingClass().map(ArchitectureTest::outermost).orElse(c);
    }

    private ArchitectureTest() {}
}
