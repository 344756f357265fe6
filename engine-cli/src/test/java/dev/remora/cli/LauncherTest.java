package dev.remora.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher in a copy of the tree's outline, under a path with spaces. Maven and the JDKs are stubs: {@code mvn} notes
 * that it ran and lays out what the launcher starts; a JDK is a release file and a {@code bin/java} that prints its
 * arguments. The PATH holds nothing but the stubs and the few tools that the launcher uses.
 */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private static final List<String> TOOLS = List.of(
            "sh",
            "cat",
            "cp",
            "date",
            "dirname",
            "find",
            "ln",
            "mkdir",
            "mv",
            "readlink",
            "rm",
            "sed",
            "sleep",
            "touch");

    private static final String MVN = """
            #!/bin/sh
            dir=$(dirname -- "$0")
            echo "$JAVA_HOME" >> "$dir/mvn.runs"
            while [ -e "$dir/mvn.wait" ]; do sleep 0.1; done
            if [ -e "$dir/mvn.fail" ]; then echo 'COMPILATION ERROR'; exit 1; fi
            while [ "$1" != -f ]; do shift; done
            dist=$(dirname -- "$2")/engine-cli/target/dist
            mkdir -p "$dist/lib"
            touch "$dist/lib/a.jar" "$dist/jvm.options"
            """;

    private record Result(int code, String out, String err) {}

    @TempDir
    Path temp;

    private Path root;
    private Path bin;
    private Path jdks;
    private final Map<String, String> environment = new TreeMap<>();

    @BeforeEach
    void layOut() throws IOException {
        root = Files.createDirectories(temp.resolve("a folder/with  spaces"));
        bin = Files.createDirectories(temp.resolve("bin"));
        jdks = Files.createDirectories(temp.resolve("jdk folder"));
        Files.copy(Path.of("..", "remora"), root.resolve("remora"));
        executable(root.resolve("remora"), Files.readString(root.resolve("remora")));
        for (String file : List.of(
                "pom.xml",
                "engine-cli/pom.xml",
                "engine-cli/src/main/java/Main.java",
                "engine-cli/src/test/java/MainTest.java",
                "models/remora-tiny/config.json",
                "models/remora-tiny/training/train.py")) {
            Files.createDirectories(root.resolve(file).getParent());
            Files.writeString(root.resolve(file), "");
            age(root.resolve(file), -60);
        }
        age(root.resolve("engine-cli/src/main"), -60);
        age(root.resolve("engine-cli/src/main/java"), -60);
        for (String tool : TOOLS) {
            executable(bin.resolve(tool), "#!/bin/sh\nexec " + find(tool) + " \"$@\"\n");
        }
        executable(bin.resolve("mvn"), MVN);
        environment.put("PATH", bin.toString());
        environment.put("REMORA_JDK_FOLDERS", temp.resolve("none") + ":" + jdks);
        environment.put("LC_ALL", "C.UTF-8");
    }

    @Test
    void prefersTheTestedFeatureReleaseToNewerAndOlderOnes() throws Exception {
        jdk(jdks.resolve("a"), "26.0.1");
        jdk(jdks.resolve("b"), "25.0.3");
        jdk(jdks.resolve("c"), "21.0.9");
        assertEquals(jdks.resolve("b").toString(), javaHome());
    }

    @Test
    void prefersTheNewestUpdate() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        jdk(jdks.resolve("b"), "25.0.12");
        jdk(jdks.resolve("c"), "25");
        assertEquals(jdks.resolve("b").toString(), javaHome());
    }

    @Test
    void takesANewerFeatureReleaseWhereThereIsNoOther() throws Exception {
        jdk(jdks.resolve("a"), "26");
        jdk(jdks.resolve("b"), "27.0.1");
        jdk(jdks.resolve("c"), "17.0.15");
        assertEquals(jdks.resolve("b").toString(), javaHome());
    }

    @Test
    void looksInTheFoldersOfMacOs() throws Exception {
        jdk(jdks.resolve("temurin.jdk/Contents/Home"), "25.0.3");
        assertEquals(jdks.resolve("temurin.jdk/Contents/Home").toString(), javaHome());
    }

    @Test
    void javaHomeWinsIfItIsNewEnough() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("JAVA_HOME", jdk(temp.resolve("mine"), "26").toString());
        assertEquals(temp.resolve("mine").toString(), javaHome());
    }

    @Test
    void anOldJavaHomeIsPassedOver() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("JAVA_HOME", jdk(temp.resolve("old"), "1.8.0_442").toString());
        assertEquals(jdks.resolve("a").toString(), javaHome());
    }

    @Test
    void remoraJavaHomeIsTrusted() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("JAVA_HOME", jdks.resolve("a").toString());
        environment.put("REMORA_JAVA_HOME", jdk(temp.resolve("trusted"), "24").toString());
        assertEquals(temp.resolve("trusted").toString(), javaHome());
    }

    @Test
    void remoraJavaHomeWithoutJavaIsAnError() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("REMORA_JAVA_HOME", temp.resolve("nowhere").toString());
        Result result = remora("generate");
        assertEquals(69, result.code);
        assertEquals("", result.out);
        assertEquals(
                "remora: REMORA_JAVA_HOME is " + temp.resolve("nowhere") + ", but there is no bin/java in it\n",
                result.err);
    }

    @Test
    void remoraJavaHomeWithAnOlderJavaIsAnError() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("REMORA_JAVA_HOME", jdk(temp.resolve("old"), "17.0.15").toString());
        Result result = remora("generate");
        assertEquals(69, result.code);
        assertEquals("", result.out);
        assertEquals(
                "remora: needs a JDK 25 (25.0.3 or newer), but REMORA_JAVA_HOME is " + temp.resolve("old")
                        + ", a JDK 17.0.15\n",
                result.err);
        assertEquals(0, builds());
    }

    @Test
    void findsTheHomeOfJavaOnThePathThroughLinks() throws Exception {
        jdk(temp.resolve("hidden/jdk"), "25.0.4");
        Path alternative = temp.resolve("alternative");
        Files.createSymbolicLink(alternative, Path.of("hidden/jdk/bin/java"));
        Files.createSymbolicLink(bin.resolve("java"), alternative);
        assertEquals(temp.resolve("hidden/jdk").toRealPath().toString(), javaHome());
    }

    @Test
    void withoutAJdkOneMessageSaysWhatWasFoundAndWhatIsNeeded() throws Exception {
        Path old = jdk(jdks.resolve("seventeen"), "17.0.15");
        Path runtime = jdk(jdks.resolve("runtime"), "25.0.3");
        Files.delete(runtime.resolve("bin/javac"));
        Result result = remora("generate");
        assertEquals(69, result.code);
        assertEquals("", result.out);
        assertEquals("""
                remora: needs a JDK 25 (25.0.3 or newer) and found none.
                  found 25.0.3 in %s (folder, without a compiler)
                  found 17.0.15 in %s (folder)
                  Install the JDK 25 of any vendor, or set REMORA_JAVA_HOME to the folder that holds one.
                """.formatted(runtime, old), result.err);
        assertEquals(0, builds());
    }

    @Test
    void warnsBelowTheFirstSoundUpdate() throws Exception {
        jdk(jdks.resolve("a"), "25.0.2");
        Result result = remora("x");
        assertEquals(0, result.code);
        assertTrue(result.err.contains("warning: JDK 25.0.2 in " + jdks.resolve("a")), result.err);
        assertTrue(result.err.contains("25.0.3"), result.err);
    }

    @Test
    void startsTheProgramWithItsOptionsAndArgumentsUntouched() throws Exception {
        Path home = jdk(jdks.resolve("a"), "25.0.3");
        environment.put("REMORA_JAVA_OPTS", "-Xmx1g -Dx=*");
        Result result = remora("generate", "two  words", "", "*", "a\"b'c", "@file", "-n");
        List<String> lines = result.out.lines().toList();
        String run = root.toRealPath().resolve("engine-cli/target/" + current()).toString();
        assertEquals(
                List.of(
                        "[" + home + "/bin/java]",
                        "[@" + run + "/jvm.options]",
                        "[-Xmx1g]",
                        "[-Dx=*]",
                        "[-cp]",
                        "[" + run + "/lib/*]",
                        "[dev.remora.cli.Main]",
                        "[generate]",
                        "[two  words]",
                        "[]",
                        "[*]",
                        "[a\"b'c]",
                        "[@file]",
                        "[-n]"),
                lines.subList(0, lines.size() - 1));
    }

    @Test
    void usesItsArchiveOfClassesOnlyWithTheJdkThatMadeIt() throws Exception {
        Path home = jdk(jdks.resolve("a"), "25.0.3");
        environment.put("STUB_ARCHIVE", "yes");
        List<String> lines = remora("x").out.lines().toList();
        Path run = root.toRealPath().resolve("engine-cli/target/" + current());
        assertEquals("[-XX:SharedArchiveFile=" + run.resolve("classes.jsa") + "]", lines.get(2));
        assertTrue(lines.contains("[-Xshare:auto]"), lines.toString());
        assertTrue(Files.exists(run.resolve("classes.jsa")));
        jdk(home, "25.0.4");
        assertFalse(remora("x").out.contains("classes.jsa"));
        environment.put("REMORA_JAVA_HOME", jdk(jdks.resolve("b"), "25.0.3").toString());
        assertFalse(remora("x").out.contains("classes.jsa"));
    }

    @Test
    void anArchiveOfClassesThatCannotBeMadeIsDoneWithout() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("STUB_ARCHIVE", "yes");
        environment.put("STUB_EXIT", "7");
        Result result = remora("x");
        assertTrue(result.err.endsWith(" done.\n"), result.err);
        assertFalse(result.out.contains("classes.jsa"));
    }

    @Test
    void passesTheExitCodeOn() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.put("STUB_EXIT", "7");
        assertEquals(7, remora("x").code);
    }

    @Test
    void argumentsAreUtf8EvenInTheCLocale() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        environment.remove("LC_ALL");
        assertTrue(remora("x").out.endsWith("LC_ALL=C.UTF-8\n"));
        environment.put("LANG", "de_DE.UTF-8");
        assertTrue(remora("x").out.endsWith("LC_ALL=\n"));
    }

    @Test
    void buildsOnFirstUseThenOnlyWhenSourcesAreNewer() throws Exception {
        Path home = jdk(jdks.resolve("a"), "25.0.3");
        Result first = remora("x");
        assertTrue(first.err.startsWith("Building Remora (first use;"), first.err);
        assertTrue(first.err.endsWith(" done.\n"), first.err);
        assertEquals(1, first.err.lines().count());
        assertEquals(home.toString(), Files.readString(bin.resolve("mvn.runs")).strip());

        assertEquals("", remora("x").err);
        age(root.resolve("engine-cli/src/test/java/MainTest.java"), 60);
        age(root.resolve("models/remora-tiny/training/train.py"), 60);
        assertEquals("", remora("x").err);
        assertEquals(1, builds());

        for (String file : List.of(
                "pom.xml",
                "engine-cli/pom.xml",
                "engine-cli/src/main/java/Main.java",
                "models/remora-tiny/config.json")) {
            age(root.resolve(file), 60);
            assertTrue(remora("x").err.startsWith("Building Remora (" + file + " is new;"), file);
            age(root.resolve(file), -60);
        }
        assertEquals(5, builds());
    }

    @Test
    void aDeletedSourceIsNoticed() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        remora("x");
        age(root.resolve("engine-cli/target/remora.current"), -30);
        Files.delete(root.resolve("engine-cli/src/main/java/Main.java"));
        remora("x");
        assertEquals(2, builds());
    }

    @Test
    void aFailedBuildShowsItsOutputAndIsTriedAgain() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        Files.createFile(bin.resolve("mvn.fail"));
        Result failed = remora("x");
        assertEquals(70, failed.code);
        assertEquals("", failed.out);
        assertTrue(failed.err.contains(" failed.\nCOMPILATION ERROR\nremora: the build failed"), failed.err);
        assertLeftClean();

        Files.delete(bin.resolve("mvn.fail"));
        assertEquals(0, remora("x").code);
        assertLeftClean();
    }

    @Test
    void withoutMavenItSaysSo() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        Files.delete(bin.resolve("mvn"));
        Result result = remora("x");
        assertEquals(69, result.code);
        assertTrue(result.err.startsWith("remora: building needs Maven, and there is no mvn on the PATH."), result.err);
    }

    @Test
    void runsThroughChainsOfRelativeLinksFromAnywhere() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        Path elsewhere = Files.createDirectories(temp.resolve("else where/deep"));
        Files.createSymbolicLink(elsewhere.resolve("first"), Path.of("../../a folder/with  spaces/remora"));
        Files.createSymbolicLink(temp.resolve("second"), Path.of("else where/deep/first"));
        Files.createSymbolicLink(bin.resolve("rem"), temp.resolve("second"));
        assertEquals(0, run(elsewhere, List.of("./first", "x")).code);
        assertEquals(0, run(elsewhere, List.of("../../second", "x")).code);
        assertEquals(0, run(Path.of("/"), List.of("sh", "-c", "rem x")).code);
        assertEquals(0, run(root, List.of("sh", "remora", "x")).code);
        assertEquals(1, builds());
    }

    @Test
    void concurrentFirstUsesBuildOnce() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        Files.createFile(bin.resolve("mvn.wait"));
        List<Process> starts = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            starts.add(start(root, List.of("./remora", "x"), "start" + i));
        }
        awaitBuilds(1);
        TimeUnit.MILLISECONDS.sleep(300);
        Files.delete(bin.resolve("mvn.wait"));
        for (Process process : starts) {
            assertEquals(0, process.waitFor());
        }
        assertEquals(1, builds());
        assertLeftClean();
    }

    @Test
    void anInterruptedBuildIsBuiltAgain() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        Files.createFile(bin.resolve("mvn.wait"));
        // timeout signals the whole group, as a terminal does on Ctrl-C.
        Result interrupted = run(root, List.of(find("timeout").toString(), "-s", "INT", "1", "./remora", "x"));
        assertEquals(124, interrupted.code);
        assertEquals("", interrupted.out);
        assertFalse(Files.exists(root.resolve("engine-cli/target/remora.current")));
        assertLeftClean();

        Files.delete(bin.resolve("mvn.wait"));
        assertEquals(0, remora("x").code);
        assertEquals(2, builds());
    }

    @Test
    void aLockOfADeadProcessIsTakenOver() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        Files.createDirectories(root.resolve("engine-cli/target"));
        Files.createSymbolicLink(root.resolve("engine-cli/target/remora.lock"), Path.of(Long.toString(dead.pid())));
        assertEquals(0, remora("x").code);
        assertLeftClean();
    }

    @Test
    void aRunningProgramKeepsItsJarsThroughTheNextBuild() throws Exception {
        jdk(jdks.resolve("a"), "25.0.3");
        remora("x");
        String first = current();
        age(root.resolve("pom.xml"), 60);
        remora("x");
        assertFalse(first.equals(current()));
        assertTrue(Files.exists(root.resolve("engine-cli/target/" + first + "/lib/a.jar")));
        TimeUnit.MILLISECONDS.sleep(10);
        remora("x");
        assertFalse(Files.exists(root.resolve("engine-cli/target/" + first)), "only one older layout is kept");
    }

    private String javaHome() throws Exception {
        Result result = remora("--print-java-home");
        assertEquals(0, result.code, result.err);
        assertEquals("", result.err);
        return result.out.strip();
    }

    private Result remora(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("./remora"));
        command.addAll(List.of(arguments));
        return run(root, command);
    }

    private Result run(Path directory, List<String> command) throws Exception {
        Process process = start(directory, command, "run");
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running: " + command);
        return new Result(
                process.exitValue(),
                Files.readString(temp.resolve("run.out")),
                Files.readString(temp.resolve("run.err")));
    }

    private Process start(Path directory, List<String> command, String name) throws IOException {
        List<String> words = new ArrayList<>(command);
        if (words.get(0).startsWith("./") || words.get(0).startsWith("../")) {
            words.set(0, directory.resolve(words.get(0)).toString());
        }
        ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.redirectOutput(temp.resolve(name + ".out").toFile());
        builder.redirectError(temp.resolve(name + ".err").toFile());
        return builder.start();
    }

    private static Path jdk(Path home, String version) throws IOException {
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(
                home.resolve("release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"" + version + "\"\nLIBC=\"gnu\"\n");
        executable(home.resolve("bin/java"), """
                #!/bin/sh
                for word; do
                    case $word in
                        -XX:ArchiveClassesAtExit=*) [ -z "${STUB_ARCHIVE:-}" ] || touch "${word#*=}" ;;
                    esac
                done
                printf '[%s]\\n' "$0" "$@"
                echo "LC_ALL=${LC_ALL:-}"
                exit "${STUB_EXIT:-0}"
                """);
        executable(home.resolve("bin/javac"), "#!/bin/sh\n");
        return home;
    }

    private static void executable(Path file, String text) throws IOException {
        Files.writeString(file, text, UTF_8);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Path find(String tool) {
        for (String folder : System.getenv("PATH").split(":", -1)) {
            Path path = Path.of(folder, tool);
            if (Files.isExecutable(path)) {
                return path;
            }
        }
        throw new AssertionError("no " + tool + " on the PATH");
    }

    /** Sets a file's time to that many seconds from now. */
    private static void age(Path file, int seconds) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(seconds)));
    }

    private String current() throws IOException {
        return Files.readString(root.resolve("engine-cli/target/remora.current"))
                .strip();
    }

    private long builds() throws IOException {
        Path runs = bin.resolve("mvn.runs");
        return Files.exists(runs) ? Files.readAllLines(runs).size() : 0;
    }

    private void awaitBuilds(int count) throws Exception {
        for (int i = 0; i < 600 && builds() < count; i++) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertEquals(count, builds());
    }

    /** No lock and no half-made files. */
    private void assertLeftClean() throws IOException {
        try (var files = Files.list(root.resolve("engine-cli/target"))) {
            List<String> names = files.map(file -> file.getFileName().toString())
                    .filter(name ->
                            !name.equals("dist") && !name.equals("remora.current") && !name.startsWith("remora-"))
                    .toList();
            assertEquals(List.of(), names);
        }
    }
}
