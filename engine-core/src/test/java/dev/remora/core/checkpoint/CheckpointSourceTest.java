package dev.remora.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointSourceTest {
    private static final String PREFIX = "META-INF/remora/some-model/";
    private static final String CONTENTS =
            "A checkpoint folder holds config.json, tokenizer.json (or tiktoken.model) and"
                    + " model.safetensors, or model.safetensors.index.json with its shards.";

    @TempDir
    Path folder;

    @Test
    void aFolderGivesItsFiles() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.writeString(folder.resolve("a"), "xyz");
        Files.createFile(folder.resolve("empty"));
        CheckpointSource source = CheckpointSource.ofFolder(folder);
        assertTrue(source.exists("config.json"));
        assertFalse(source.exists("tokenizer.json"));
        assertEquals(List.of("a", "config.json", "empty"), source.names());
        assertArrayEquals(new byte[] {'{', '}'}, source.read("config.json"));
        assertEquals(folder.resolve("a").toString(), source.describe("a"));
        assertEquals(folder.toString(), source.describe());
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mapped = source.map("a", arena);
            assertArrayEquals(new byte[] {'x', 'y', 'z'}, mapped.toArray(ValueLayout.JAVA_BYTE));
            assertTrue(mapped.isMapped());
            assertTrue(mapped.isReadOnly());
            assertEquals(0, source.map("empty", arena).byteSize());
        }
    }

    @Test
    void aFolderThatIsNoneSaysWhatOneHolds() throws IOException {
        Path missing = folder.resolve("missing");
        assertMessage(missing + ": no such folder. " + CONTENTS, () -> CheckpointSource.ofFolder(missing));
        assertMessage(folder + ": the folder is empty. " + CONTENTS, () -> CheckpointSource.ofFolder(folder));
        Path file = Files.createFile(folder.resolve("model.gguf"));
        assertMessage(
                file + ": expected a folder, found a file. Name the folder that holds it. " + CONTENTS,
                () -> CheckpointSource.ofFolder(file));
    }

    @Test
    void anUnreadableFileIsNamedWithTheReason() throws IOException {
        Files.createDirectory(folder.resolve("model.safetensors"));
        Files.createSymbolicLink(folder.resolve("link.safetensors"), folder.resolve("blobs/0123"));
        CheckpointSource source = CheckpointSource.ofFolder(folder);
        for (String name : List.of("model.safetensors", "link.safetensors", "config.json")) {
            String reason = switch (name) {
                case "model.safetensors" -> "expected a file, found a folder.";
                case "config.json" -> "no such file. The folder holds link.safetensors, model.safetensors.";
                default ->
                    "a symbolic link to a file that does not exist. The download is incomplete:"
                            + " download the checkpoint again.";
            };
            String message = folder.resolve(name) + ": " + reason;
            assertMessage(message, () -> source.read(name));
            assertMessage(message, () -> source.map(name, Arena.global()));
        }
        assertFalse(source.exists("link.safetensors"));
    }

    @Test
    void aFileTooLargeToReadIsRefused() throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(folder.resolve("config.json").toFile(), "rw")) {
            file.setLength(5L << 30);
        }
        CheckpointSource source = CheckpointSource.ofFolder(folder);
        assertMessage(
                folder.resolve("config.json") + ": expected at most 268435456 bytes, found 5368709120."
                        + " This file should be small; the folder may hold another file under its name.",
                () -> source.read("config.json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", ".", "..", "../config.json", "a/b", "/etc/passwd", "a\\b", "C:x", "a\0"})
    void onlyPlainNamesAreFollowed(String name) throws IOException {
        Files.createFile(folder.resolve("config.json"));
        for (CheckpointSource source : List.of(
                CheckpointSource.ofFolder(folder),
                CheckpointSource.ofResources(getClass().getClassLoader(), ""))) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> source.exists(name));
            assertTrue(e.getMessage().contains("\"" + name + "\" is not a plain file name."), e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"jar", "folder"})
    void theClassPathGivesAlignedCopies(String kind) throws IOException {
        byte[] content = new byte[200_003];
        new Random(5).nextBytes(content);
        URL url = kind.equals("jar") ? jar(content) : folderOf(content);
        try (URLClassLoader loader = new URLClassLoader(new URL[] {url}, null);
                Arena arena = Arena.ofShared()) {
            CheckpointSource source = CheckpointSource.ofResources(loader, PREFIX.substring(0, PREFIX.length() - 1));
            assertTrue(source.exists("model.bin"));
            assertFalse(source.exists("config.json"));
            assertArrayEquals(content, source.read("model.bin"));
            MemorySegment mapped = source.map("model.bin", arena);
            assertArrayEquals(content, mapped.toArray(ValueLayout.JAVA_BYTE));
            assertEquals(0, mapped.address() % 64);
            assertTrue(mapped.isReadOnly());
            assertTrue(mapped.isNative());
            assertEquals(List.of(), source.names());
            String message = PREFIX + "config.json on the class path: no such resource."
                    + " Add the artifact that bundles this model to the class path.";
            assertMessage(message, () -> source.read("config.json"));
            assertMessage(message, () -> source.map("config.json", arena));
        }
    }

    @Test
    void aCheckpointOpensFromAJar() throws IOException {
        byte[] file = MemorySource.safetensors("{" + MemorySource.entry("w", "2", 0, 8) + "}", 8);
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar(file)}, null);
                Checkpoint checkpoint =
                        Checkpoint.openFile(CheckpointSource.ofResources(loader, PREFIX), "model.bin")) {
            assertEquals(
                    "w: F32 (2) in " + PREFIX + "model.bin on the class path",
                    checkpoint.tensor("w").toString());
        }
    }

    private URL jar(byte[] content) throws IOException {
        Path jar = folder.resolve("model.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            out.putNextEntry(new JarEntry(PREFIX + "model.bin"));
            out.write(content);
        }
        return jar.toUri().toURL();
    }

    private URL folderOf(byte[] content) throws IOException {
        Path model = Files.createDirectories(folder.resolve(PREFIX)).resolve("model.bin");
        Files.write(model, content);
        return folder.toUri().toURL();
    }

    private static void assertMessage(String message, Executable action) {
        assertEquals(message, assertThrows(CheckpointException.class, action).getMessage());
    }
}
