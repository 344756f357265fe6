package dev.remora.core.checkpoint;

import static dev.remora.core.checkpoint.MemorySource.entry;
import static dev.remora.core.checkpoint.MemorySource.safetensors;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    private static final String REVISION = "Are config.json and the weights from the same revision?";

    @TempDir
    Path folder;

    @Test
    void aSingleFileOpens() {
        write("model.safetensors", "model.norm.weight", 7);
        try (Checkpoint checkpoint = Checkpoint.open(CheckpointSource.ofFolder(folder))) {
            assertEquals(List.of("model.norm.weight"), List.copyOf(checkpoint.names()));
            assertEquals(List.of("model.safetensors"), checkpoint.files());
            assertEquals(8, checkpoint.byteSize());
            assertTrue(checkpoint.has("model.norm.weight"));
            assertFalse(checkpoint.has("model.norm"));
            Tensor tensor = checkpoint.expect("model.norm.weight", 2);
            assertEquals(7f, tensor.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
            assertEquals(folder.resolve("model.safetensors").toString(), tensor.file());
        }
    }

    @Test
    void shardsOpenThroughTheirIndex() {
        MemorySource source = shards("{\"a\": \"s-1.safetensors\", \"b\": \"s-2.safetensors\"}")
                .with("s-1.safetensors", safetensors("{" + entry("a", "1", 0, 4) + "}", 4))
                .with("s-2.safetensors", safetensors("{" + entry("b", "2", 0, 8) + "}", 8));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            assertEquals(List.of("a", "b"), List.copyOf(checkpoint.names()));
            assertEquals(List.of("s-1.safetensors", "s-2.safetensors"), checkpoint.files());
            assertEquals("memory/s-2.safetensors", checkpoint.tensor("b").file());
            assertEquals(12, checkpoint.byteSize());
        }
    }

    @Test
    void aSingleFileGoesBeforeAnIndex() {
        MemorySource source = shards("{\"a\": \"s-1.safetensors\"}")
                .with("model.safetensors", safetensors("{" + entry("single", "1", 0, 4) + "}", 4));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            assertTrue(checkpoint.has("single"));
        }
    }

    @Test
    void aFileOfAnyNameOpensByItself() {
        write("golden.safetensors", "logits", 3);
        try (Checkpoint golden = Checkpoint.openFile(CheckpointSource.ofFolder(folder), "golden.safetensors")) {
            assertTrue(golden.tensor("logits").hasShape(2));
        }
    }

    @Test
    void aFolderWithoutSafetensorsSaysWhatItHolds() {
        MemorySource source = new MemorySource().with("config.json", "{}").with("pytorch_model.bin", "PK");
        assertMessage(
                source,
                "memory: expected model.safetensors or model.safetensors.index.json, found config.json, pytorch_model.bin.");
    }

    @Test
    void anIndexMustNameItsShards() {
        assertMessage(
                new MemorySource().with(Checkpoint.INDEX, "{"), "memory/model.safetensors.index.json: invalid JSON");
        assertMessage(
                new MemorySource().with(Checkpoint.INDEX, "{}"),
                "memory/model.safetensors.index.json: weight_map: expected an object, found no such key");
        assertMessage(shards("{}"), "index.json: weight_map: expected at least one tensor, found none.");
        assertMessage(shards("{\"a\": 1}"), "index.json: weight_map: a: expected a string, found 1");
        for (String name : List.of("../s.safetensors", "/etc/passwd", "..", "", "c:s", "s\\\\t", "s\\u0000")) {
            assertMessage(
                    shards("{\"a\": \"" + name + "\"}"), "index.json: weight_map: a: \"", "is not a plain file name.");
        }
    }

    @Test
    void missingShardsAreListed() {
        MemorySource source = shards("{\"a\": \"s-1\", \"b\": \"s-2\", \"c\": \"s-3\"}")
                .with("s-2", safetensors("{" + entry("b", "1", 0, 4) + "}", 4));
        assertMessage(
                source,
                "index.json: expected 3 shards beside it, found 1; missing: s-1, s-3. Download the missing files.");
    }

    @Test
    void aTensorOfTheIndexMustBeInItsShard() {
        byte[] a = safetensors("{" + entry("a", "1", 0, 4) + "}", 4);
        byte[] c = safetensors("{" + entry("c", "1", 0, 4) + "}", 4);
        assertMessage(
                shards("{\"a\": \"s-1\", \"b\": \"s-1\"}").with("s-1", a),
                "index.json: tensor b: expected in memory/s-1, found in no shard.",
                "different revisions");
        assertMessage(
                shards("{\"a\": \"s-2\", \"c\": \"s-1\"}").with("s-1", a).with("s-2", c),
                "index.json: tensor a: expected in memory/s-2, found in memory/s-1.");
    }

    @Test
    void aTensorOfAShardMustBeInTheIndex() {
        byte[] two = safetensors("{" + entry("a", "1", 0, 4) + "," + entry("extra", "1", 4, 8) + "}", 8);
        assertMessage(
                shards("{\"a\": \"s-1\"}").with("s-1", two),
                "index.json: expected an entry of weight_map for every tensor, found none for extra of memory/s-1.");
    }

    @Test
    void aTensorIsInOneShardOnly() {
        byte[] a = safetensors("{" + entry("a", "1", 0, 4) + "}", 4);
        byte[] both = safetensors("{" + entry("b", "1", 0, 4) + "," + entry("a", "1", 4, 8) + "}", 8);
        assertMessage(
                shards("{\"a\": \"s-1\", \"b\": \"s-2\"}").with("s-1", a).with("s-2", both),
                "a: expected in one file, found in two: memory/s-1 and memory/s-2.");
    }

    @Test
    void aDamagedShardIsNamed() {
        assertMessage(
                shards("{\"a\": \"s-1\"}").with("s-1", new byte[3]),
                "memory/s-1: expected a safetensors file of at least 10 bytes, found 3.");
    }

    @Test
    void aMissingTensorIsNamedWithItsShapeTheFileAndTheNearestName() {
        MemorySource source = new MemorySource()
                .with(
                        "model.safetensors",
                        safetensors("{" + entry("model.layers.0.q_a_proj.weight", "2, 1", 0, 8) + "}", 8));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            CheckpointException e = assertThrows(
                    CheckpointException.class, () -> checkpoint.expect("model.layers.0.q_b_proj.weight", 3, 4));
            assertEquals(
                    "model.layers.0.q_b_proj.weight: expected a tensor (3, 4), found none in memory/model.safetensors. The nearest"
                            + " name is model.layers.0.q_a_proj.weight: F32 (2, 1) in memory/model.safetensors. "
                            + REVISION,
                    e.getMessage());
            CheckpointException far =
                    assertThrows(CheckpointException.class, () -> checkpoint.tensor("lm_head.weight"));
            assertEquals(
                    "lm_head.weight: expected a tensor, found none in memory/model.safetensors. " + REVISION,
                    far.getMessage());
            CheckpointException prefix =
                    assertThrows(CheckpointException.class, () -> checkpoint.tensor("layers.0.q_a_proj.weight"));
            assertTrue(prefix.getMessage().contains("The nearest name is model.layers.0.q_a_proj.weight:"));
        }
    }

    @Test
    void aMissingTensorOfShardsNamesThem() {
        MemorySource source = shards("{\"a\": \"s-1\", \"b\": \"s-2\"}")
                .with("s-1", safetensors("{" + entry("a", "1", 0, 4) + "}", 4))
                .with("s-2", safetensors("{" + entry("b", "1", 0, 4) + "}", 4));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> checkpoint.tensor("missing"));
            assertEquals(
                    "missing: expected a tensor, found none in the 2 shards s-1, s-2 of memory. " + REVISION,
                    e.getMessage());
        }
    }

    @Test
    void aMisshapenTensorSaysWhereTheShapeComesFrom() {
        MemorySource source =
                new MemorySource().with("model.safetensors", safetensors("{" + entry("w", "2, 3", 0, 24) + "}", 24));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            CheckpointException e = assertThrows(
                    CheckpointException.class, () -> checkpoint.expect("w", "(vocab_size, hidden_size)", 3, 2));
            assertEquals(
                    "w: expected (3, 2) = (vocab_size, hidden_size), found (2, 3) in memory/model.safetensors. "
                            + REVISION,
                    e.getMessage());
            assertThrows(CheckpointException.class, () -> checkpoint.expect("w", 6));
            assertEquals(6, checkpoint.expect("w", 2, 3).elements());
        }
    }

    @Test
    void closeUnmapsAndMayBeRepeated() {
        write("model.safetensors", "w", 1);
        Checkpoint checkpoint = Checkpoint.open(CheckpointSource.ofFolder(folder));
        MemorySegment data = checkpoint.tensor("w").data();
        checkpoint.close();
        checkpoint.close();
        assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> checkpoint.tensor("w"));
        assertEquals("the checkpoint " + folder + " is closed", e.getMessage());
        assertThrows(IllegalStateException.class, checkpoint::tensors);
    }

    @Test
    void filesAndTensorsBeyondTwoGigabytes() throws IOException {
        long elements = (1L << 31) + (1L << 20);
        String header =
                "{\"big\": {\"dtype\": \"U8\", \"shape\": [" + elements / 1024 + ", 1024], \"data_offsets\": [0, "
                        + elements + "]}, \"big16\": {\"dtype\": \"BF16\", \"shape\": [" + (1 << 29)
                        + "], \"data_offsets\": [" + elements
                        + ", " + (elements + (1L << 30)) + "]}, "
                        + entry("last", "1", elements + (1L << 30), elements + (1L << 30) + 4)
                        + "}";
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        long dataStart = json.length + (long) Long.BYTES;
        try (RandomAccessFile file =
                new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
            file.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .array());
            file.write(json);
            file.setLength(dataStart + elements + (1L << 30) + Float.BYTES);
            file.seek(dataStart + elements - 1);
            file.write(77);
            file.seek(dataStart + elements + (1L << 30));
            file.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(-2.5f)));
        }
        try (Checkpoint checkpoint = Checkpoint.open(CheckpointSource.ofFolder(folder))) {
            Tensor big = checkpoint.expect("big", elements / 1024, 1024);
            assertEquals(elements, big.elements());
            assertEquals(77, big.data().get(ValueLayout.JAVA_BYTE, elements - 1));
            assertEquals(0, big.data().get(ValueLayout.JAVA_BYTE, 1L << 31));
            assertEquals(1 << 29, checkpoint.tensor("big16").elements());
            assertEquals(-2.5f, checkpoint.tensor("last").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
            assertEquals(elements + (1L << 30) + 4, checkpoint.byteSize());
        }
    }

    /** DeepSeek-V3 has 91,991 tensors, Kimi-K2 about 140,000: a reader must not take so many keys for an attack. */
    @Test
    void aHeaderMayHoldAHundredAndFiftyThousandTensors() {
        int count = 150_000;
        String header = IntStream.range(0, count)
                .mapToObj(i -> "\"model.layers." + i / 2500 + ".mlp.experts." + i % 2500 / 6 + "."
                        + List.of("gate_proj", "up_proj", "down_proj").get(i % 3) + ".weight"
                        + (i % 6 < 3 ? "" : "_scale_inv")
                        + "\": {\"dtype\": \"U8\", \"shape\": [1], \"data_offsets\": [" + i + ", " + (i + 1) + "]}")
                .collect(Collectors.joining(",", "{", "}"));
        MemorySource source = new MemorySource().with("model.safetensors", safetensors(header, count));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            assertEquals(count, checkpoint.names().size());
            assertArrayEquals(
                    new long[] {1},
                    checkpoint
                            .tensor("model.layers.59.mlp.experts.0.up_proj.weight")
                            .shape());
        }
    }

    private static MemorySource shards(String weightMap) {
        return new MemorySource().with(Checkpoint.INDEX, "{\"metadata\": {}, \"weight_map\": " + weightMap + "}");
    }

    private static void assertMessage(CheckpointSource source, String... fragments) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> Checkpoint.open(source));
        for (String fragment : fragments) {
            assertTrue(e.getMessage().contains(fragment), () -> "expected \"" + fragment + "\" in: " + e.getMessage());
        }
    }

    /** A file with one F32 tensor of two equal values. */
    private void write(String file, String tensor, float value) {
        try (SafetensorsWriter out = new SafetensorsWriter(folder.resolve(file))) {
            out.declare(tensor, DType.F32, 2).append(tensor, new float[] {value, value}, 0, 2);
            out.finish();
        }
    }
}
