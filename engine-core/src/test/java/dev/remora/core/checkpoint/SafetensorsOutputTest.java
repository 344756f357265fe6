package dev.remora.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsOutputTest {
    private static final List<TensorSpec> TENSORS =
            List.of(TensorSpec.of("a", DType.U8, 2, 3), TensorSpec.of("b", DType.U8, 4));

    @TempDir
    Path folder;

    @Test
    void piecesOfAnyOrderMakeTheFileThatTheWriterMakes() throws IOException {
        Path whole = folder.resolve("whole.safetensors");
        try (SafetensorsWriter out = new SafetensorsWriter(whole)) {
            out.declare("a", DType.U8, 2, 3).declare("b", DType.U8, 4);
            out.append("a", new byte[] {1, 2, 3, 4, 5, 6});
            out.append("b", new byte[] {7, 8, 9, 10});
            out.finish();
        }
        Path pieces = folder.resolve("pieces.safetensors");
        try (SafetensorsOutput out = new SafetensorsOutput(pieces, TENSORS, 8)) {
            assertFalse(out.write(1, 2, bytes(9, 10)));
            assertFalse(out.write(0, 0, bytes(1, 2, 3)));
            assertFalse(out.write(1, 0, bytes(7, 8)));
            assertFalse(out.write(1, 0, bytes()));
            IllegalStateException e = assertThrows(IllegalStateException.class, out::finish);
            assertEquals(pieces + ": lacks 3 bytes", e.getMessage());
            assertTrue(out.write(0, 3, bytes(4, 5, 6)));
            out.finish();
        }
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(pieces));
    }

    @Test
    void theDataBeginsWhereItIsAskedFor() throws IOException {
        Path file = folder.resolve("model.safetensors");
        try (SafetensorsOutput out = new SafetensorsOutput(file, TENSORS, 4096)) {
            out.write(0, 0, bytes(1, 2, 3, 4, 5, 6));
            out.write(1, 0, bytes(7, 8, 9, 10));
            out.finish();
        }
        byte[] bytes = Files.readAllBytes(file);
        assertEquals(
                4096 - 8, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong());
        assertEquals(4096 + 10, bytes.length);
        try (Checkpoint checkpoint = Checkpoint.openFile(CheckpointSource.ofFolder(folder), "model.safetensors")) {
            assertArrayEquals(
                    new byte[] {7, 8, 9, 10}, checkpoint.tensor("b").data().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        Path file = folder.resolve("model.safetensors");
        try (SafetensorsOutput out = new SafetensorsOutput(file, TENSORS, 8)) {
            assertThrows(IllegalArgumentException.class, () -> out.write(0, 4, bytes(1, 2, 3)));
            assertThrows(IllegalArgumentException.class, () -> out.write(0, -1, bytes(1)));
            RemoraException e =
                    assertThrows(RemoraException.class, () -> new SafetensorsOutput(file, TENSORS, 8).close());
            assertTrue(e.getMessage().startsWith(file + ": cannot be written: "), e.getMessage());
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> new SafetensorsOutput(folder.resolve("twice"), List.of(TENSORS.get(0), TENSORS.get(0)), 8)
                        .close());
        assertFalse(Files.exists(folder.resolve("twice")));
        assertThrows(IllegalArgumentException.class, () -> TensorSpec.of("__metadata__", DType.U8, 1));
        assertThrows(IllegalArgumentException.class, () -> TensorSpec.of("a", DType.U8, 3, -1));
    }

    private static MemorySegment bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return MemorySegment.ofArray(bytes);
    }
}
