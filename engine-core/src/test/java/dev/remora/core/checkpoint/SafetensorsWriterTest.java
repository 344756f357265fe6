package dev.remora.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsWriterTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsRead() {
        int rows = 300;
        int cols = 211; // 253 kB: more than the writer's buffer
        float[] logits = new float[rows * cols];
        Random random = new Random(11);
        for (int i = 0; i < logits.length; i++) {
            logits[i] = Float.intBitsToFloat(random.nextInt());
        }
        byte[] scales = new byte[100_001];
        random.nextBytes(scales);
        Path file = folder.resolve("out.safetensors");
        try (SafetensorsWriter out = new SafetensorsWriter(file)) {
            out.declare("logits", DType.F32, rows, cols)
                    .declare("none", DType.F32, 0, cols)
                    .declare("scalar \"quoted\" é\n", DType.BF16)
                    .declare("scales", DType.F8_E4M3, scales.length);
            for (int row = 0; row < rows; row++) {
                out.append("logits", logits, row * cols, cols);
            }
            out.append("none", new float[0], 0, 0);
            out.append("scalar \"quoted\" é\n", new byte[] {1, 2});
            out.append("scales", scales);
            assertFalse(Files.exists(file), "the file appears only when it is whole");
            out.finish();
        }
        try (Checkpoint read = Checkpoint.openFile(CheckpointSource.ofFolder(folder), "out.safetensors")) {
            assertEquals(List.of("logits", "none", "scalar \"quoted\" é\n", "scales"), List.copyOf(read.names()));
            byte[] bytes = read.expect("logits", rows, cols).data().toArray(ValueLayout.JAVA_BYTE);
            int[] bits = new int[logits.length];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(bits);
            for (int i = 0; i < bits.length; i++) {
                assertEquals(Float.floatToRawIntBits(logits[i]), bits[i], "value " + i);
            }
            assertEquals(0, read.expect("none", 0, cols).elements());
            assertEquals(DType.BF16, read.expect("scalar \"quoted\" é\n").dtype());
            assertArrayEquals(scales, read.tensor("scales").data().toArray(ValueLayout.JAVA_BYTE));
        }
        assertEquals(
                List.of("out.safetensors"), CheckpointSource.ofFolder(folder).names());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"})
    void theHeaderIsPaddedToEightBytes(String name) throws IOException {
        Path file = folder.resolve("x");
        try (SafetensorsWriter out = new SafetensorsWriter(file)) {
            out.declare(name, DType.F32, 1).append(name, new float[] {1}, 0, 1);
            out.finish();
        }
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        long length = bytes.getLong(0);
        assertEquals(0, length % 8);
        assertEquals(8 + length + 4, bytes.capacity());
        assertEquals('{', bytes.get(8));
    }

    @Test
    void aFileWithoutTensorsIsValid() {
        try (SafetensorsWriter out = new SafetensorsWriter(folder.resolve("x"))) {
            out.finish();
        }
        try (Checkpoint read = Checkpoint.openFile(CheckpointSource.ofFolder(folder), "x")) {
            assertEquals(0, read.names().size());
        }
    }

    @Test
    void nothingRemainsOfAnUnfinishedFile() throws IOException {
        Path file = Files.writeString(folder.resolve("x"), "before");
        try (SafetensorsWriter out = new SafetensorsWriter(file)) {
            out.declare("a", DType.F32, 2).append("a", new float[1], 0, 1);
            IllegalStateException e = assertThrows(IllegalStateException.class, out::finish);
            assertEquals(file + ": tensor a lacks 4 bytes", e.getMessage());
        }
        assertEquals("before", Files.readString(file));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void anExistingFileIsReplacedAndALinkFollowed() throws IOException {
        Path file = Files.writeString(folder.resolve("x"), "before");
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        try (SafetensorsWriter out = new SafetensorsWriter(link)) {
            out.declare("a", DType.U8, 1).append("a", new byte[] {7});
            out.finish();
        }
        assertTrue(Files.isSymbolicLink(link));
        try (Checkpoint read = Checkpoint.openFile(CheckpointSource.ofFolder(folder), "x")) {
            assertEquals(7, read.tensor("a").data().get(ValueLayout.JAVA_BYTE, 0));
        }
    }

    @Test
    void aPlaceThatCannotBeWrittenIsNamed() {
        Path nowhere = folder.resolve("no/x");
        assertMessage(
                nowhere + ": cannot be written: no folder " + folder.resolve("no") + ". Create it first.",
                CheckpointException.class,
                () -> write(nowhere));
        assertMessage(
                folder + ": expected a file to write, found a folder.", CheckpointException.class, () -> write(folder));
    }

    @Test
    void misuseIsRefused() {
        try (SafetensorsWriter out = new SafetensorsWriter(folder.resolve("x"))) {
            out.declare("a", DType.F32, 2).declare("b", DType.BF16, 2);
            assertMessage("tensor a declared twice, or a reserved name", () -> out.declare("a", DType.F32, 1));
            assertMessage(
                    "tensor __metadata__ declared twice, or a reserved name",
                    () -> out.declare("__metadata__", DType.F32));
            assertMessage("tensor c of shape (-1)", () -> out.declare("c", DType.F32, -1));
            assertMessage(
                    "tensor d of shape (4294967296, 4294967296)", () -> out.declare("d", DType.U8, 1L << 32, 1L << 32));
            String wrongOrder = folder.resolve("x") + ": expected data of tensor a, found data of b";
            assertMessage(wrongOrder, () -> out.append("b", new byte[4]));
            assertThrows(IndexOutOfBoundsException.class, () -> out.append("a", new float[2], 1, 2));
            assertMessage("tensor a: F32 (2) lacks 8 bytes, appended 12", () -> out.append("a", new float[3], 0, 3));
            out.append("a", new float[2], 0, 2);
            assertMessage("tensor b: declared BF16, appended F32", () -> out.append("b", new float[1], 0, 1));
            assertThrows(IllegalStateException.class, () -> out.declare("late", DType.F32, 1));
            out.append("b", new byte[4]);
            String tooMuch = folder.resolve("x") + ": expected data of no further tensor, found data of b";
            assertMessage(tooMuch, () -> out.append("b", new byte[1]));
            out.finish();
            assertThrows(IllegalStateException.class, out::finish);
            assertThrows(IllegalStateException.class, () -> out.append("b", new byte[1]));
        }
    }

    private static void write(Path file) {
        try (SafetensorsWriter out = new SafetensorsWriter(file)) {
            out.finish();
        }
    }

    private static void assertMessage(String message, Executable action) {
        assertMessage(message, IllegalArgumentException.class, action);
    }

    private static void assertMessage(String message, Class<? extends Exception> type, Executable action) {
        assertEquals(message, assertThrows(type, action).getMessage());
    }
}
