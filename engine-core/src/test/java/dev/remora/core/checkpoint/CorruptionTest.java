package dev.remora.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

/** Damaged files either open or are refused: never another exception, never without end. */
class CorruptionTest {
    private static final int ROUNDS = 2000;
    private static final byte[] SHARD = MemorySource.safetensors(
            "{\"__metadata__\": {\"format\": \"pt\"}, " + MemorySource.entry("model.norm.weight", "2, 3", 0, 24) + ", "
                    + MemorySource.entry("lm_head.weight", "5", 24, 44) + ", " + MemorySource.entry("s", "", 44, 48)
                    + "}",
            48);
    private static final byte[] INDEX =
            "{\"metadata\": {\"total_size\": 48}, \"weight_map\": {\"model.norm.weight\": \"s\", \"lm_head.weight\": \"s\", \"s\": \"s\"}}"
                    .getBytes(StandardCharsets.UTF_8);

    @Test
    void aDamagedFileOpensOrIsRefused() {
        int refused = countRefused(SHARD, (round, bytes) -> new MemorySource().with(Checkpoint.SINGLE, bytes));
        assertTrue(refused > ROUNDS / 2, "refused " + refused);
    }

    @Test
    void aDamagedIndexOpensOrIsRefused() {
        int refused = countRefused(
                INDEX,
                (round, bytes) ->
                        new MemorySource().with(Checkpoint.INDEX, bytes).with("s", SHARD));
        assertTrue(refused > ROUNDS / 2, "refused " + refused);
    }

    @Test
    void theFilesAreSoundBeforeTheyAreDamaged() {
        try (Checkpoint checkpoint =
                Checkpoint.open(new MemorySource().with(Checkpoint.INDEX, INDEX).with("s", SHARD))) {
            assertEquals(48, checkpoint.byteSize());
        }
    }

    private static int countRefused(byte[] sound, BiFunction<Integer, byte[], CheckpointSource> source) {
        Random random = new Random(2412_19437);
        ToLongFunction<Integer> readAll = round -> {
            try (Checkpoint checkpoint = Checkpoint.open(source.apply(round, damage(sound, random)))) {
                return checkpoint.tensors().stream()
                        .mapToLong(t -> t.elements() + t.data().byteSize() + t.rank())
                        .sum();
            } catch (RemoraException e) {
                assertTrue(e.getMessage().length() > 20, e.getMessage());
                return -1;
            }
        };
        return assertTimeoutPreemptively(Duration.ofMinutes(1), () -> {
            int refused = 0;
            for (int round = 0; round < ROUNDS; round++) {
                refused += readAll.applyAsLong(round) < 0 ? 1 : 0;
            }
            return refused;
        });
    }

    /** Truncates, or overwrites, inserts and removes a few bytes; half of the changes hit the first 64 bytes. */
    private static byte[] damage(byte[] sound, Random random) {
        if (random.nextInt(8) == 0) {
            return Arrays.copyOf(sound, random.nextInt(sound.length));
        }
        byte[] bytes = sound.clone();
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(random.nextBoolean() ? 64 : bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) "0123456789-.eE\"{}[],:\\ ".charAt(random.nextInt(23));
                default -> System.arraycopy(sound, at, bytes, at + 1, bytes.length - at - 1);
            }
        }
        return bytes;
    }
}
