package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.models.Machine;
import dev.remora.models.SelfTest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChecksTest {
    @ParameterizedTest
    @CsvSource({"25, WARNING", "25.0.2+10, WARNING", "25.0.3+9-LTS, OK", "25.1, OK", "26+36, WARNING", "21.0.5, WARNING"
    })
    void javaVersions(String version, Check.Verdict expected) {
        Check check = Checks.java(Runtime.Version.parse(version), "some vendor");
        assertEquals(expected, check.verdict(), check.found());
        assertTrue(check.found().startsWith(version), check.found());
        assertEquals(expected == Check.Verdict.OK, check.advice().isEmpty());
    }

    @Test
    void unwantedScalarKernelsAreAWarningWithTheCure() {
        Machine scalar = new Machine(0, "the module is missing; pass the flag", true, 2, 4, 1, "the machine");
        assertEquals(Check.Verdict.WARNING, Checks.vectors(scalar).verdict());
        assertEquals(
                "the module is missing; pass the flag.", Checks.vectors(scalar).advice());
        Machine wanted = new Machine(0, "asked for by the user", false, 2, 4, 1, "the machine");
        assertEquals(Check.ok("vectors", "none: asked for by the user"), Checks.vectors(wanted));
        Machine wide = new Machine(512, "the widest", false, 2, 4, 1, "the machine");
        assertEquals(Check.ok("vectors", "512 bits: the widest"), Checks.vectors(wide));
    }

    @Test
    void aWrongKernelIsNamed() {
        SelfTest.Result good = new SelfTest.Result("SwiGLU", true);
        SelfTest.Result bad = new SelfTest.Result("FP8, one row", false);
        assertEquals(
                Check.ok("kernels", "all 2 give the bits of their definition"), Checks.kernels(List.of(good, good)));
        Check failed = Checks.kernels(List.of(good, bad));
        assertEquals(Check.Verdict.FAILED, failed.verdict());
        assertEquals("wrong: FP8, one row", failed.found());
    }

    @Test
    void aLineShowsVerdictAndAdvice() {
        assertEquals("ok       cores         4", Check.ok("cores", "4").line(false));
        assertEquals(
                "FAILED   model         broken\n                       mend it",
                Check.failed("model", "broken", "mend it").line(false));
    }
}
