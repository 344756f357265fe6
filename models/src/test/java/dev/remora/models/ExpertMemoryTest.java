package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.MemoryLimits;
import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.CheckpointFile;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.models.synthetic.SyntheticModel;
import dev.remora.moe.ExpertMemory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose routed experts do not fit their memory give the very bits of models that are all in memory. */
@Timeout(240)
class ExpertMemoryTest {
    /** Four slots, whatever the model. */
    private static final ExpertMemory TINY = ExpertMemory.ofShare(0.001);

    @TempDir
    private Path folder;

    private static Llm load(Path model, ExpertMemory memory) {
        return Llm.load(model, Logits.EXACT.withExpertMemory(memory));
    }

    private static int[] ids(String golden) {
        return Logits.ints(CheckpointSource.ofFolder(TestCheckpoint.folder(golden)), "input_ids");
    }

    /** The logits of all rows, in steps of at most {@code chunk} rows. */
    private static float[] logits(Llm llm, int[] ids, int chunk) {
        VectorKernels.await();
        int vocabulary = llm.runner().vocabSize();
        float[] all = new float[ids.length * vocabulary];
        try (StepRunner.Slot slot = llm.runner().open(512)) {
            for (int from = 0; from < ids.length; from += chunk) {
                int count = Math.min(chunk, ids.length - from);
                float[] some = new float[count * vocabulary];
                slot.append(ids, from, count, count, some);
                System.arraycopy(some, 0, all, from * vocabulary, some.length);
            }
        }
        return all;
    }

    private static void assertSameBits(float[] expected, float[] actual, String what) {
        assertEquals(-1, Arrays.mismatch(bits(expected), bits(actual)), what + ": first value that differs");
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    @Tag("widths")
    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "v2-grouped", "v3-fp8", "moonlight"})
    void goldensHaveTheSameBits(String name) {
        int[] ids = ids(name);
        try (Llm whole = load(TestCheckpoint.folder(name), ExpertMemory.ALL);
                Llm tiny = load(TestCheckpoint.folder(name), TINY);
                Llm half = load(TestCheckpoint.folder(name), ExpertMemory.ofShare(0.5));
                Llm most = load(TestCheckpoint.folder(name), ExpertMemory.ofShare(0.9))) {
            for (int chunk : new int[] {512, 1, 7}) {
                float[] expected = logits(whole, ids, chunk);
                assertSameBits(expected, logits(tiny, ids, chunk), name + ", four slots, steps of " + chunk);
                assertSameBits(expected, logits(half, ids, chunk), name + ", half, steps of " + chunk);
                assertSameBits(expected, logits(most, ids, chunk), name + ", most, steps of " + chunk);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"v2-lite, 1", "v2-lite, 3", "v3-fp8, 1", "v3-fp8, 3"})
    void fusedExpertsAndShards(String name, int shards) {
        TestCheckpoint fused = TestCheckpoint.golden(name);
        fused.fuseExperts();
        if (name.equals("v3-fp8")) {
            // Blocks reach from gate into up, so tiles have 64 scales.
            Fp8VariantsTest.scaleBlocks(fused, 100, 60);
        }
        assertSameBits(fused.write(folder, shards), ids(name));
    }

    private static void assertSameBits(Path model, int[] all) {
        int[] ids = Arrays.copyOf(all, 40);
        try (Llm whole = load(model, ExpertMemory.ALL);
                Llm tiny = load(model, TINY)) {
            assertSameBits(logits(whole, ids, 40), logits(tiny, ids, 40), "prompt");
            assertSameBits(logits(whole, ids, 1), logits(tiny, ids, 1), "token by token");
        }
    }

    @Test
    void shardsThatScatterAnExpert() {
        assertSameBits(TestCheckpoint.golden("v3-fp8").write(folder, 3), ids("v3-fp8"));
    }

    /** What one layout leaves unwritten in a slot, another may have written. */
    @Test
    void expertsOfDifferentFormatsShareSlots() {
        TestCheckpoint fp8 = TestCheckpoint.golden("v3-fp8");
        TestCheckpoint mixed = Fp8VariantsTest.decoded(fp8, name -> Math.floorMod(name.hashCode(), 2) == 0);
        mixed.config.put("quantization_config", fp8.config.get("quantization_config"));
        assertSameBits(mixed.write(folder, 2), ids("v3-fp8"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1%", "25%", "50%", "100%"})
    void theBundledModel(String memory) {
        LoadOptions options = Logits.EXACT;
        int[] ids = {5, 99, 17, 250, 1000, 3, 42, 77};
        try (Llm whole = Llm.bundled(options);
                Llm some = Llm.bundled(options.withExpertMemory(ExpertMemory.parse(memory)))) {
            assertSameBits(logits(whole, ids, 8), logits(some, ids, 8), "prompt");
            assertSameBits(logits(whole, ids, 1), logits(some, ids, 1), "token by token");
            assertEquals(
                    whole.session().generate("Once", Fakes.tokens(20)).text(),
                    some.session().generate("Once", Fakes.tokens(20)).text());
        }
    }

    @Test
    void sessionsSideBySideGetTheirAnswers() throws Exception {
        int[] ids = ids("v3-fp8");
        List<float[]> expected = new ArrayList<>();
        try (Llm whole = load(TestCheckpoint.folder("v3-fp8"), ExpertMemory.ALL)) {
            for (int i = 0; i < 6; i++) {
                expected.add(logits(whole, Arrays.copyOfRange(ids, i * 5, i * 5 + 30), 1 + 7 * i));
            }
        }
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try (Llm tiny = load(TestCheckpoint.folder("v3-fp8"), TINY)) {
            List<Callable<float[]>> work = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                int n = i;
                work.add(() -> logits(tiny, Arrays.copyOfRange(ids, n * 5, n * 5 + 30), 1 + 7 * n));
            }
            List<Future<float[]>> done = threads.invokeAll(work);
            for (int i = 0; i < 6; i++) {
                assertSameBits(expected.get(i), done.get(i).get(), "session " + i);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aTruncatedFileFailsTheRequestAndNothingElse() throws IOException {
        Path model = TestCheckpoint.golden("v2-lite").write(folder, 1);
        Path file = model.resolve("model.safetensors");
        byte[] content = Files.readAllBytes(file);
        int[] ids = ids("v2-lite");
        try (Llm tiny = load(model, TINY)) {
            float[] expected = logits(tiny, ids, 512);
            try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
                access.setLength(4096);
            }
            RemoraException e = assertThrows(RemoraException.class, () -> logits(tiny, ids, 512));
            String message = e.getMessage();
            assertTrue(
                    message.matches("(?s)" + java.util.regex.Pattern.quote(file.toString())
                            + ": layer \\d+, expert \\d+, model\\.layers\\.\\d+\\.mlp\\.experts\\.\\d+\\.\\w+_proj\\.weight:"
                            + " expected bytes \\d+ to \\d+, found a file that ends before byte \\d+\\. It was cut .*"),
                    message);
            Files.write(file, content);
            assertSameBits(expected, logits(tiny, ids, 512), "after the file is whole again");
        }
    }

    /** A folder whose reads fail while it is told so. */
    private static final class FailingSource implements CheckpointSource {
        private final CheckpointSource source;
        private final AtomicInteger failures = new AtomicInteger();

        FailingSource(CheckpointSource source) {
            this.source = source;
        }

        @Override
        public CheckpointFile open(String name) {
            CheckpointFile file = source.open(name);
            return new CheckpointFile() {
                @Override
                public int alignment() {
                    return file.alignment();
                }

                @Override
                public int read(long position, MemorySegment target) throws IOException {
                    if (failures.get() > 0) {
                        failures.decrementAndGet();
                        throw new IOException("Input/output error");
                    }
                    return file.read(position, target);
                }

                @Override
                public void close() {
                    file.close();
                }
            };
        }

        @Override
        public boolean exists(String name) {
            return source.exists(name);
        }

        @Override
        public byte[] read(String name) {
            return source.read(name);
        }

        @Override
        public MemorySegment map(String name, Arena arena) {
            return source.map(name, arena);
        }

        @Override
        public String describe(String name) {
            return source.describe(name);
        }

        @Override
        public String describe() {
            return source.describe();
        }

        @Override
        public List<String> names() {
            return source.names();
        }
    }

    @Test
    void readErrorsFailTheRequestAndNothingElse() {
        FailingSource source = new FailingSource(CheckpointSource.ofFolder(TestCheckpoint.folder("v3-fp8")));
        int[] ids = Arrays.copyOf(ids("v3-fp8"), 30);
        try (Llm tiny = Llm.load(source, Logits.EXACT.withExpertMemory(TINY))) {
            float[] expected = logits(tiny, ids, 30);
            for (int chunk : new int[] {30, 10}) {
                source.failures.set(Integer.MAX_VALUE);
                CheckpointException e = assertThrows(CheckpointException.class, () -> logits(tiny, ids, chunk));
                assertTrue(e.getMessage().contains(".safetensors: layer "), e.getMessage());
                assertTrue(e.getMessage().contains("_proj.weight: cannot be read: Input/output error"), e.getMessage());
                source.failures.set(0);
                assertSameBits(expected, logits(tiny, ids, 30), "after the failure");
            }
            int failed = 0;
            for (int round = 0; round < 20; round++) {
                source.failures.set(1);
                try {
                    assertSameBits(expected, logits(tiny, ids, 30), "round " + round);
                } catch (CheckpointException e) {
                    failed++;
                }
            }
            source.failures.set(0);
            assertTrue(failed <= 20);
            assertSameBits(expected, logits(tiny, ids, 30), "after single failures");
        }
    }

    @Test
    void damagedNumbersAreNamed() {
        TestCheckpoint damaged = TestCheckpoint.golden("v3-fp8");
        String name = "model.layers.3.mlp.experts.3.up_proj.weight";
        damaged.tensor(name).bytes[64] = 0x7f;
        Path model = damaged.write(folder, 1);
        try (Llm tiny = load(model, TINY)) {
            int[] ids = ids("v3-fp8");
            CheckpointException e = assertThrows(CheckpointException.class, () -> logits(tiny, ids, 512));
            assertTrue(
                    e.getMessage().contains("layer 3, expert 3, " + name + ": expected FP8 numbers"), e.getMessage());
        }
    }

    @Test
    void tooLittleMemoryNamesTheLeast() {
        Path model = TestCheckpoint.folder("v2-lite");
        InsufficientMemoryException e = assertThrows(
                InsufficientMemoryException.class,
                () -> load(model, ExpertMemory.ofBytes(1000)).close());
        assertTrue(e.getMessage().contains("expert memory: expected at least "), e.getMessage());
        assertTrue(e.getMessage().contains(" for 4 experts of "), e.getMessage());
        double least = Double.parseDouble(e.getMessage().replaceAll("(?s).*at least ([0-9.]+) MiB.*", "$1"));
        try (Llm llm = load(model, ExpertMemory.ofBytes((long) Math.ceil(least * (1 << 20))))) {
            assertFalse(llm.session().generate(new int[] {5}, Fakes.tokens(1)).stream()
                    .toList()
                    .isEmpty());
        }
    }

    @Test
    void modelsWithoutWhatItTakesAreRefused() {
        IllegalArgumentException profile = assertThrows(
                IllegalArgumentException.class,
                () -> LoadOptions.defaults().withExpertProfile(java.util.Optional.of(folder)));
        assertTrue(profile.getMessage().startsWith("expertProfile: expected expertMemory"), profile.getMessage());
        IllegalArgumentException copies = assertThrows(
                IllegalArgumentException.class,
                () -> load(TestCheckpoint.folder("v3-fp8"), TINY, true).close());
        assertTrue(copies.getMessage().startsWith("fp8Copies: expected experts stored in"), copies.getMessage());
        CheckpointException made = assertThrows(
                CheckpointException.class,
                () -> Llm.load(
                                SyntheticModel.parse("deepseek-v2-lite,layers=2,experts=8")
                                        .source(),
                                Logits.EXACT.withExpertMemory(TINY))
                        .close());
        assertTrue(made.getMessage().contains("save the model into a folder"), made.getMessage());
    }

    private static Llm load(Path model, ExpertMemory memory, boolean copies) {
        return Llm.load(model, Logits.EXACT.withExpertMemory(memory).withFp8Copies(copies));
    }

    @Test
    void copiesChangeNothingUnlessAPolicyAsks() {
        int[] ids = ids("v2-lite");
        try (Llm whole = load(TestCheckpoint.folder("v2-lite"), ExpertMemory.ALL);
                Llm tiny = load(TestCheckpoint.folder("v2-lite"), TINY, true)) {
            assertSameBits(logits(whole, ids, 512), logits(tiny, ids, 512), "with copies");
        }
    }

    @Test
    void memoryCountsTheBudgetInPlaceOfTheExperts() {
        CheckpointSource source = CheckpointSource.ofFolder(TestCheckpoint.folder("v2-lite"));
        long least = leastFor(source, ExpertMemory.ALL);
        long tiny = leastFor(source, TINY);
        long half = leastFor(source, ExpertMemory.ofShare(0.5));
        assertTrue(tiny < half && half < least, tiny + " < " + half + " < " + least);
    }

    /** The least memory with which a model is loaded. */
    private static long leastFor(CheckpointSource source, ExpertMemory memory) {
        LoadOptions options = Logits.EXACT.withExpertMemory(memory);
        long no = 0;
        long yes = 1L << 32;
        while (yes - no > 4096) {
            long middle = (no + yes) / 2;
            try {
                ModelLoader.load(source, options, () -> new MemoryLimits(middle, "the test"))
                        .close();
                yes = middle;
            } catch (InsufficientMemoryException e) {
                no = middle;
            }
        }
        return yes;
    }

    @Test
    void profilesAreChecked() throws IOException {
        Path profile = folder.resolve("profile.json");
        int[] ids = ids("v2-lite");
        Path model = TestCheckpoint.folder("v2-lite");
        LoadOptions options = Logits.EXACT
                .withExpertMemory(ExpertMemory.ofShare(0.5))
                .withExpertProfile(java.util.Optional.of(profile));
        String counts = "[9, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1]";
        Files.writeString(profile, "{\"model\": \"x\", \"layers\": {\"1\": " + counts + ", \"2\": " + counts + "}}");
        try (Llm whole = Llm.load(model, Logits.EXACT);
                Llm pinned = Llm.load(model, options)) {
            assertSameBits(logits(whole, ids, 512), logits(pinned, ids, 512), "with pinned experts");
            assertSameBits(logits(whole, ids, 1), logits(pinned, ids, 1), "with pinned experts, token by token");
        }
        for (String[] bad : new String[][] {
            {"{\"layers\": {\"1\": [1, 2]}}", "layers.1: expected counts of 12 routed experts, found 2"},
            {"{\"layers\": {\"0\": " + counts + "}}", "layers.0: expected counts of 0 routed experts, found 12"},
            {"{\"layers\": {\"7\": " + counts + "}}", "layers.7: expected counts of 0 routed experts"},
            {"{\"layers\": {\"a\": " + counts + "}}", "expected indices of layers as keys, found \"a\""},
            {"{\"layers\": {\"1\": [1.5]}}", "layers.1: expected counts of 0 or more, found 1.5 for expert 0"},
            {"{}", "layers: expected an object, found no such key"}
        }) {
            Files.writeString(profile, bad[0]);
            CheckpointException e = assertThrows(CheckpointException.class, () -> Llm.load(model, options));
            assertTrue(e.getMessage().contains("profile.json") && e.getMessage().contains(bad[1]), e.getMessage());
        }
        Files.delete(profile);
        CheckpointException e = assertThrows(CheckpointException.class, () -> Llm.load(model, options));
        assertTrue(e.getMessage().contains("the expert profile cannot be read"), e.getMessage());
    }

    @Test
    void filesAreClosedAndMemoryIsFreed() {
        try {
            for (int i = 0; i < 20; i++) {
                load(TestCheckpoint.folder("v2-lite"), TINY).close();
            }
            Path mine = Path.of("/proc/self/fd");
            if (Files.isDirectory(mine)) {
                try (var open = Files.list(mine)) {
                    long mapped = open.filter(ExpertMemoryTest::isCheckpoint).count();
                    assertEquals(0, mapped, "open files");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertArrayEquals(
                new long[0],
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("remora-expert-reader"))
                        .mapToLong(Thread::threadId)
                        .toArray());
    }

    private static boolean isCheckpoint(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().contains("v2-lite/model.safetensors");
        } catch (IOException e) {
            return false;
        }
    }
}
