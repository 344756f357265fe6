package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.models.convert.Conversion;
import dev.remora.models.convert.ConversionOptions;
import dev.remora.models.synthetic.SyntheticModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {
    private static final String[] GENERATE = {"Once upon a time", "--greedy", "-n", "12", "--print-ids"};

    @TempDir
    Path temporary;

    @Test
    void theConvertedModelGeneratesTheSame() {
        Path target = temporary.resolve("new").resolve("expert-major");
        Run run = Run.of("convert", "--out", target.toString(), "--expert-major");
        assertEquals(0, run.code(), run.err());
        assertEquals(
                List.of("before", "after", "experts", "kept", "copied", "time"),
                run.out()
                        .lines()
                        .map(line -> line.substring(0, line.indexOf(' ')))
                        .toList());
        assertTrue(run.out().contains("2 files: " + target), run.out());
        Run before = generate();
        Run after = generate("--model", target.toString());
        assertEquals(0, before.code(), before.err());
        assertEquals(before.out(), after.out());
    }

    private static Run generate(String... more) {
        return Run.of(Stream.of(Stream.of("generate"), Stream.of(GENERATE), Stream.of(more))
                .flatMap(words -> words)
                .toArray(String[]::new));
    }

    @Test
    void jsonHasTheKeysThatAreDocumentedAndInspectSeesTheFormat() {
        Path bf16 = temporary.resolve("bf16");
        Run run = Run.of("convert", "--out", bf16.toString(), "--to", "bf16", "--json");
        assertEquals(0, run.code(), run.err());
        JsonObject report = JsonObject.of(Json.parse(run.out(), "output"), "output");
        assertEquals(
                Set.of(
                        "target",
                        "to",
                        "expert_major",
                        "before",
                        "after",
                        "converted_tensors",
                        "experts",
                        "kept_tensors",
                        "kept_bytes",
                        "largest_relative_error",
                        "rms_relative_error",
                        "copied",
                        "left_out",
                        "seconds"),
                report.keys());
        assertEquals(Set.of("tensors", "bytes", "files"), report.object("after").keys());
        assertTrue(report.integer("converted_tensors") > 0);
        assertTrue(report.number("largest_relative_error") <= 1 / 256.0);
        assertFalse(dtypes(bf16).contains("F8_E4M3"));

        Path fp8 = temporary.resolve("fp8");
        run = Run.of("convert", "--model", bf16.toString(), "-o", fp8.toString(), "--to", "FP8");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains(report.integer("converted_tensors") + " tensors to fp8"), run.out());
        assertTrue(run.out().contains("in the root mean square"), run.out());
        assertTrue(dtypes(fp8).contains("F8_E4M3"));
        Run text = generate("--model", fp8.toString());
        assertEquals(0, text.code(), text.err());
    }

    private static Set<String> dtypes(Path folder) {
        Run run = Run.of("inspect", "--model", folder.toString(), "--json");
        assertEquals(0, run.code(), run.err());
        return JsonObject.of(Json.parse(run.out(), "output"), "output").array("tensors").stream()
                .map(tensor -> JsonObject.of(tensor, "tensor").string("dtype"))
                .collect(Collectors.toSet());
    }

    @Test
    void wrongUsageIsExitCode2() {
        Path target = temporary.resolve("target");
        assertError(2, "convert: expected --expert-major, --to or both, found neither", "--out", target.toString());
        assertError(2, "Missing required option: '--out=DIR'", "--to", "bf16");
        assertError(2, "Invalid value for option '--to': expected", "--to", "int4", "--out", target.toString());
        assertError(
                2,
                "--to: expected a checkpoint in another format, found matrices in fp8 already",
                "--to",
                "fp8",
                "--out",
                target.toString());
        assertFalse(Files.exists(target));
    }

    @Test
    void aModelThatIsMissingIsExitCode3AndAFullFolderExitCode1() throws IOException {
        assertError(
                3,
                "/no/such/folder",
                "--model",
                "/no/such/folder",
                "--to",
                "bf16",
                "--out",
                temporary.resolve("target").toString());
        Path note = Files.writeString(temporary.resolve("notes.txt"), "mine");
        assertError(
                1, "expected a new or empty folder, found notes.txt in it", "--to", "bf16", "-o", temporary.toString());
        assertEquals("mine", Files.readString(note));
    }

    private static void assertError(int code, String message, String... arguments) {
        Run run =
                Run.of(Stream.concat(Stream.of("convert"), Stream.of(arguments)).toArray(String[]::new));
        assertEquals(code, run.code(), run.err());
        assertTrue(run.err().startsWith("remora convert: "), run.err());
        assertTrue(run.err().contains(message), run.err());
    }

    /** Ctrl-C while files are written, of convert and of bench --save. */
    @Test
    void interruptedNothingRemains() throws IOException {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        Shell shell = Shell.piped(new ByteArrayInputStream(new byte[0]), nowhere, nowhere);
        SyntheticModel model = SyntheticModel.parse("deepseek-v2-lite,layers=1");
        for (int command = 0; command < 2; command++) {
            Path target = temporary.resolve("target");
            boolean convert = command == 0;
            try (Progress progress = new Progress(shell);
                    Interrupts.Scope _ = progress.untilInterrupted()) {
                shell.interrupts().signal();
                assertThrows(CancellationException.class, () -> {
                    if (convert) {
                        Conversion.bundled()
                                .run(target, ConversionOptions.defaults().withExpertMajor(true), progress);
                    } else {
                        model.save(target, progress);
                    }
                });
            }
            assertEquals(
                    ExitCode.INTERRUPTED, Failures.report(new CancellationException(), "remora convert", false, shell));
            try (Stream<Path> files = Files.list(temporary)) {
                assertEquals(List.of(), files.toList());
            }
        }
    }
}
