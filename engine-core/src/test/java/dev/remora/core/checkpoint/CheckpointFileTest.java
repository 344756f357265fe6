package dev.remora.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointFileTest {
    private static final int SIZE = 3 * 65536 + 1234;

    @TempDir
    private Path folder;

    private byte[] write() throws IOException {
        byte[] bytes = new byte[SIZE];
        new Random(5).nextBytes(bytes);
        Files.write(folder.resolve("weights"), bytes);
        return bytes;
    }

    @Test
    void aFolderReadsAnywhereInBlocks() throws IOException {
        byte[] bytes = write();
        try (CheckpointFile file = CheckpointSource.ofFolder(folder).open("weights")) {
            check(file, bytes);
        }
    }

    @Test
    void resourcesReadAnywhere() throws IOException {
        byte[] bytes = write();
        try (URLClassLoader loader =
                        new URLClassLoader(new URL[] {folder.toUri().toURL()}, null);
                CheckpointFile file = CheckpointSource.ofResources(loader, "").open("weights")) {
            assertEquals(1, file.alignment());
            check(file, bytes);
        }
    }

    private static void check(CheckpointFile file, byte[] bytes) throws IOException {
        int block = Math.max(file.alignment(), 512);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(8L * block, block);
            for (long position : new long[] {0, block, 3L * block, (long) (bytes.length / block) * block}) {
                for (int blocks : new int[] {1, 3, 8}) {
                    target.fill((byte) 0);
                    int count = file.read(position, target.asSlice(0, (long) blocks * block));
                    int expected = (int) Math.min((long) blocks * block, bytes.length - position);
                    assertEquals(expected, count, blocks + " blocks at " + position);
                    assertArrayEquals(
                            Arrays.copyOfRange(bytes, (int) position, (int) position + count),
                            target.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
                }
            }
            long behind = (bytes.length / block + 1L) * block;
            assertEquals(0, file.read(behind, target.asSlice(0, block)), "behind the end");
        }
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        write();
        CheckpointSource source = CheckpointSource.ofFolder(folder);
        assertThrows(CheckpointException.class, () -> source.open("other"));
    }

    @Test
    void tensorsKnowTheirPlace() throws IOException {
        float[] values = {1, 2, 3};
        for (String name : List.of("a", "b")) {
            try (SafetensorsWriter out = new SafetensorsWriter(folder.resolve(name + ".safetensors"))) {
                out.declare(name + ".first", DType.U8, 5);
                out.declare(name + ".second", DType.F32, values.length);
                out.append(name + ".first", new byte[5]);
                out.append(name + ".second", floats(values));
                out.finish();
            }
        }
        Files.writeString(
                folder.resolve(Checkpoint.INDEX),
                "{\"weight_map\": {\"a.first\": \"a.safetensors\", \"a.second\": \"a.safetensors\","
                        + " \"b.first\": \"b.safetensors\", \"b.second\": \"b.safetensors\"}}");
        CheckpointSource source = CheckpointSource.ofFolder(folder);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            for (Tensor tensor : checkpoint.tensors()) {
                assertEquals(tensor.name().charAt(0) + ".safetensors", checkpoint.fileOf(tensor));
                byte[] file = Files.readAllBytes(folder.resolve(checkpoint.fileOf(tensor)));
                int from = Math.toIntExact(tensor.fileOffset());
                assertArrayEquals(
                        tensor.data().toArray(ValueLayout.JAVA_BYTE),
                        Arrays.copyOfRange(
                                file, from, from + (int) tensor.data().byteSize()));
            }
        }
        MemorySegment data = MemorySegment.ofArray(new byte[4]);
        assertEquals(
                -1, Tensor.of("made", DType.U8, new long[] {4}, data, "memory").fileOffset());
    }

    private static byte[] floats(float[] values) {
        return MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_BYTE);
    }
}
