package dev.remora.models.saving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.models.saving.NewCheckpoint.Group;
import dev.remora.models.saving.NewCheckpoint.Section;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointFolderTest {
    private static final Map<String, MemorySegment> FILES =
            Map.of("config.json", MemorySegment.ofArray("{}".getBytes(StandardCharsets.UTF_8)));

    @TempDir
    Path temporary;

    @Test
    void aDiskWithoutRoomIsNamedWithBothSizes() {
        Path folder = Path.of("small-disk");
        CheckpointFolder.requireSpace(folder, 1_000, 1_000);
        RemoraException e = assertThrows(
                RemoraException.class, () -> CheckpointFolder.requireSpace(folder, 5_330_000_000L, 1_200_000_000L));
        assertEquals(
                "small-disk: expected 5.33 GB of free disk space, found 1.20 GB; make room, or choose another disk",
                e.getMessage());
    }

    @Test
    void groupsStayTogetherAndSectionsApart() {
        List<Group> pairs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            pairs.add(new Group(List.of(bytes("pair" + i + ".a", 300), bytes("pair" + i + ".b", 300))));
        }
        NewCheckpoint checkpoint = new NewCheckpoint(
                List.of(NewCheckpoint.section(List.of(bytes("other", 100))), new Section(pairs, true)), FILES);
        Path folder = temporary.resolve("new");
        assertEquals(4, new CheckpointFolder(folder, 1_300).write(checkpoint, 3, "writing", progress -> {}));
        try (Checkpoint written = Checkpoint.open(CheckpointSource.ofFolder(folder))) {
            assertEquals(
                    List.of(1L, 2L, 2L, 2L, 2L, 3L, 3L, 3L, 3L, 4L, 4L),
                    written.tensors().stream().map(CheckpointFolderTest::shard).toList());
            assertEquals(
                    List.of("other", "pair0.a", "pair0.b", "pair1.a"),
                    written.names().stream().limit(4).toList());
        }
    }

    private static long shard(Tensor tensor) {
        String file = tensor.file();
        return Long.parseLong(file.substring(file.indexOf("model-") + 6, file.indexOf("-of-")));
    }

    @Test
    void wideTypesGoFirstWhereOneWouldBeginAtAnOddPlace() {
        NewCheckpoint odd = new NewCheckpoint(
                List.of(NewCheckpoint.section(List.of(bytes("codes", 3), floats("scales", 2), bytes("more", 1)))),
                FILES);
        NewCheckpoint even = new NewCheckpoint(
                List.of(NewCheckpoint.section(List.of(bytes("codes", 4), floats("scales", 2), bytes("more", 1)))),
                FILES);
        new CheckpointFolder(temporary.resolve("odd"), 1 << 20).write(odd, 1, "writing", progress -> {});
        new CheckpointFolder(temporary.resolve("even"), 1 << 20).write(even, 1, "writing", progress -> {});
        try (Checkpoint one = Checkpoint.open(CheckpointSource.ofFolder(temporary.resolve("odd")));
                Checkpoint other = Checkpoint.open(CheckpointSource.ofFolder(temporary.resolve("even")))) {
            assertEquals(List.of("scales", "codes", "more"), List.copyOf(one.names()));
            assertEquals(List.of("codes", "scales", "more"), List.copyOf(other.names()));
        }
    }

    /** Larger than a piece, written by several threads; and a tensor without numbers, alone in its file. */
    @Test
    void largeAndEmptyTensorsArrive() {
        byte[] numbers = new byte[20_000_001];
        new Random(3).nextBytes(numbers);
        TensorSpec large = TensorSpec.of("large", DType.U8, numbers.length);
        NewCheckpoint checkpoint = new NewCheckpoint(
                List.of(
                        NewCheckpoint.section(List.of(new CopiedPart(large, MemorySegment.ofArray(numbers)))),
                        NewCheckpoint.section(List.of(bytes("empty", 0)))),
                FILES);
        Path folder = temporary.resolve("new");
        new CheckpointFolder(folder, 1 << 30).write(checkpoint, 4, "writing", progress -> {});
        try (Checkpoint written = Checkpoint.open(CheckpointSource.ofFolder(folder))) {
            assertEquals(-1, written.tensor("large").data().mismatch(MemorySegment.ofArray(numbers)));
            assertEquals(0, written.tensor("empty").elements());
        }
    }

    /** An interrupt belongs to the caller: the files are written all the same, and the flag is kept. */
    @Test
    void anInterruptedCallerStillWritesTheTensors() {
        NewCheckpoint checkpoint = new NewCheckpoint(List.of(NewCheckpoint.section(List.of(bytes("a", 10)))), Map.of());
        Path folder = temporary.resolve("new");
        Thread.currentThread().interrupt();
        new CheckpointFolder(folder, 1 << 20).write(checkpoint, 1, "writing", progress -> {});
        assertTrue(Thread.interrupted());
        assertTrue(Files.exists(folder.resolve("model.safetensors")));
    }

    @Test
    void aPartThatFailsLeavesNothingNotEvenNewParents() throws IOException {
        Part failing = new Part() {
            @Override
            public List<TensorSpec> tensors() {
                return List.of(TensorSpec.of("a", DType.U8, 10));
            }

            @Override
            public int pieces() {
                return 10;
            }

            @Override
            public void make(int piece, Sink sink) {
                if (piece == 7) {
                    throw new IllegalStateException("broken");
                }
                sink.put(0, piece, MemorySegment.ofArray(new byte[1]));
            }
        };
        NewCheckpoint checkpoint = new NewCheckpoint(List.of(NewCheckpoint.section(List.of(failing))), FILES);
        Path folder = temporary.resolve("a").resolve("b").resolve("c");
        CheckpointFolder target = new CheckpointFolder(folder, 1 << 20);
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> target.write(checkpoint, 2, "writing", progress -> {}));
        assertEquals("broken", e.getMessage());
        try (Stream<Path> files = Files.list(temporary)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void whatAppearsMeanwhileIsNotOverwritten() throws IOException {
        NewCheckpoint checkpoint = new NewCheckpoint(List.of(NewCheckpoint.section(List.of(bytes("a", 10)))), FILES);
        Path folder = temporary.resolve("new");
        CheckpointFolder target = new CheckpointFolder(folder, 1 << 20);
        RemoraException e = assertThrows(
                RemoraException.class,
                () -> target.write(checkpoint, 1, "writing", progress -> {
                    if (progress.bytesDone() == 10) {
                        mkdirs(folder.resolve("mine"));
                    }
                }));
        assertTrue(e.getMessage().startsWith(folder + ": cannot be written: "), e.getMessage());
        assertFalse(Files.exists(folder.resolve("config.json")));
        try (Stream<Path> files = Files.list(temporary)) {
            assertEquals(List.of(folder), files.toList());
        }
    }

    private static void mkdirs(Path path) {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Part bytes(String name, int count) {
        return new CopiedPart(TensorSpec.of(name, DType.U8, count), MemorySegment.ofArray(new byte[count]));
    }

    private static Part floats(String name, int count) {
        return new CopiedPart(
                TensorSpec.of(name, DType.F32, count), MemorySegment.ofArray(new byte[count * Float.BYTES]));
    }
}
