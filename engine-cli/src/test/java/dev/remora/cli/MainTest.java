package dev.remora.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    @Test
    void helpGoesToStandardOutput() {
        Run run = Run.of("--help");
        assertEquals(0, run.code());
        assertEquals("", run.err());
        for (String expected : new String[] {
            "generate", "chat", "inspect", "tokenize", "score", "doctor", "bench", "convert", "Examples:", "Exit codes:"
        }) {
            assertTrue(run.out().contains(expected), expected);
        }
        assertFalse(run.out().contains("\u001b["), "colours without a terminal");
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "chat", "inspect", "tokenize", "score", "doctor", "bench", "convert"})
    void everyCommandExplainsItselfWithExamples(String command) {
        Run run = Run.of(command, "--help");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().startsWith("Usage: remora " + command + " [OPTIONS]"), run.out());
        assertTrue(run.out().contains("Examples:\n  remora " + command), run.out());
        assertTrue(run.out().contains("--model=DIR"), run.out());
        assertTrue(run.out().contains("--verbose"), run.out());
        assertEquals(run.out(), Run.of("help", command).out());
    }

    @Test
    void versionNamesRemoraAndJava() {
        Run run = Run.of("--version");
        assertEquals(0, run.code());
        assertTrue(
                run.out()
                        .matches("remora \\d+\\.\\d+\\.\\d+\\S* \\(Java "
                                + Runtime.version().feature() + ".*\\)\n"),
                run.out());
    }

    @Test
    void nothingAtAllShowsTheHelpAsAnError() {
        Run run = Run.of();
        assertEquals(2, run.code());
        assertEquals("", run.out());
        assertTrue(run.err().startsWith("Usage: remora"), run.err());
    }

    @Test
    void aMistypedCommandIsNamedWithASuggestion() {
        Run run = Run.of("tokenise", "x");
        assertEquals(2, run.code());
        assertEquals("", run.out());
        assertTrue(run.err().startsWith("remora: no command 'tokenise'\n"), run.err());
        assertTrue(run.err().contains("tokenize"), run.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "generate --nope x              | Unknown option: '--nope'",
                "generate --threads two x       | Invalid value for option '--threads': 'two' is not an int",
                "generate --threads -1 x        | --threads: expected 0 (physical cores) to 1024, found -1",
                "generate --ctx -5 x            | --ctx: expected 0",
                "generate --cache f16 x         | Invalid value for option '--cache': expected one of [F32, BF16]",
                "generate --temperature -0.5 x  | --temperature: expected 0 or more, found -0.5",
                "generate --temperature NaN x   | --temperature: expected 0 or more, found NaN",
                "generate --top-k -1 x          | --top-k: expected 0 (all tokens) or more, found -1",
                "generate --top-p 0 x           | --top-p: expected more than 0, at most 1, found 0.0",
                "generate --top-p 1.5 x         | --top-p: expected more than 0, at most 1, found 1.5",
                "generate --min-p 2 x           | --min-p: expected 0 to 1, found 2.0",
                "generate --repetition-penalty 0 x | --repetition-penalty: expected 0.1 to 10, found 0.0",
                "generate --frequency-penalty 3 x  | --frequency-penalty: expected -2 to 2, found 3.0",
                "generate --presence-penalty -3 x  | --presence-penalty: expected -2 to 2, found -3.0",
                "generate --logit-bias 5=500 x  | --logit-bias of token 5: expected -100 to 100",
                "generate --logit-bias a=1 x    | expected ID=VALUE with a token id, found 'a'",
                "generate --logit-bias 5=a x    | expected ID=VALUE with a number or -inf, found 'a'",
                "generate -n -1 x               | --max-tokens: expected 0 or more, found -1",
                "generate -n 3000000000 x       | Invalid value for option '--max-tokens': '3000000000' is not an int",
                "generate --stop= x             | --stop: expected texts of at least one character",
                "generate --greedy --temperature 1 x | --greedy and --temperature 1.0 contradict each other",
                "generate --json --print-ids x  | --json and --print-ids: expected one of them",
                "generate --ids f --chat        | --ids and --chat",
                "generate --ids f x             | a PROMPT and --ids: expected one of them",
                "generate a b                   | Unmatched argument at index 2: 'b'",
                "chat --top-p 2                 | --top-p: expected more than 0, at most 1, found 2.0",
                "score                          | Missing required argument (specify one of these): (--text=FILE | --ids=FILE)",
                "score --text a --ids b         | --text=FILE, --ids=FILE are mutually exclusive",
                "score --text a --json --jsonl  | --json and --jsonl: expected one of them",
                "score --text /no/such/file     | /no/such/file: no such file",
                "bench --prompt -1              | --prompt: expected 0 to 1048576, found -1",
                "bench --generate x             | Invalid value for option '--generate': 'x' is not an int",
                "bench --depth 0,x              | Invalid value for option '--depth' (N): 'x' is not an int",
                "bench --depth 0,5000           | --depth: expected 0 to 512, so that 512 more tokens fit the 1024",
                "bench --batch 1,0              | --batch: expected 1 to 512, found 0",
                "bench --repetitions 0          | --repetitions: expected 1 to 1000, found 0",
                "bench --threads -1             | --threads: expected 0 (physical cores) to 1024, found -1",
                "bench --read-memory 1          | --read-memory: expected 16 MiB to",
                "bench --save d                 | --save: expected --synthetic beside it",
                "bench --model d --synthetic s  | --model and --synthetic: expected one of them, found both",
                "bench --synthetic no-such      | --synthetic: synthetic model \"no-such\": there is no model",
                "tokenize a --file b            | a TEXT and --file: expected one of them",
                "tokenize --jsonl a             | --jsonl and --chat read standard input or --file, found the argument a",
                "tokenize --chat --decode       | --chat and --decode: expected one of them",
            })
    void wrongUsageIsNamedBeforeAnythingIsLoaded(String line, String expected) {
        String[] args = line.strip().split("\\s+");
        Run run = Run.of(args);
        assertEquals(2, run.code(), run.err());
        assertEquals("", run.out());
        assertTrue(run.err().startsWith("remora " + args[0] + ": "), run.err());
        assertTrue(run.err().contains(expected), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    @Test
    void aBadModelIsExitCode3(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Path broken = Files.createDirectory(folder.resolve("broken"));
        Files.writeString(broken.resolve("tokenizer.json"), "{\"model\": ");
        assertFailure("no such folder", folder.resolve("none"));
        assertFailure("expected a folder, found a file", file);
        assertFailure("the folder is empty", empty);
        assertFailure("invalid JSON", broken);
    }

    private static void assertFailure(String expected, Path model) {
        Run run = Run.of("tokenize", "--model", model.toString(), "x");
        assertEquals(3, run.code(), run.err());
        assertTrue(run.err().startsWith("remora tokenize: " + model), run.err());
        assertTrue(run.err().contains(expected), run.err());
        assertFalse(run.err().contains("\tat "), "a stack trace without --verbose");
        Run verbose = Run.of("tokenize", "--verbose", "--model", model.toString(), "x");
        assertEquals(3, verbose.code());
        assertTrue(verbose.err().startsWith(run.err()), verbose.err());
        assertTrue(verbose.err().contains("\tat "), "no stack trace with --verbose");
    }

    @Test
    void aReaderThatLeavesIsNoError() {
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Main.run(
                new String[] {"tokenize", "--jsonl"},
                new ByteArrayInputStream("{\"text\": \"a\"}\n".repeat(10_000).getBytes(StandardCharsets.UTF_8)),
                new PrintStream(closed, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        assertEquals(141, code);
        assertEquals("", err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aFullDiskIsAnErrorWithItsReason() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Main.run(
                new String[] {"tokenize", "a"},
                InputStream.nullInputStream(),
                new PrintStream(new ProcessOutput(full, true), false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        assertEquals(1, code);
        assertEquals(
                "remora tokenize: standard output: cannot be written: No space left on device\n",
                err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aSystemPropertyOutOfItsRangeIsWrongUsage() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = Shell.piped(
                InputStream.nullInputStream(),
                new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        Throwable failure = new ExceptionInInitializerError(new IllegalArgumentException("-Dx: expected 1, found 2"));
        assertEquals(2, Failures.report(failure, "remora generate", false, shell));
        assertEquals("remora generate: -Dx: expected 1, found 2\n", err.toString(StandardCharsets.UTF_8));
    }
}
