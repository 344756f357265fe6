package dev.remora.models.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.core.json.Json;
import dev.remora.mla.Evaluation;
import dev.remora.mla.MlaWeights;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.deepseek.LayerWeights;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Two layers, small enough to count by hand: one dense, one with four experts of which a row takes two. */
class StepAccountTest {
    private static final int HIDDEN = 8;
    private static final int CACHE_ROW = 12;

    // A row that follows ten others, which is absorbed, and three rows of a new sequence, which are expanded.
    private static final StepShape MIXED =
            new StepShape(new int[] {10, 0}, new int[] {1, 3}, new int[] {0, 3}, new int[] {0, 8}, 2);

    private final StepAccount account =
            new StepAccount(config(), layers(), new OneByte(10, HIDDEN), CACHE_ROW, Evaluation.CHEAPEST);

    /** One byte for each weight. */
    private record OneByte(int rows, int cols) implements Weight {
        @Override
        public String format() {
            return "one byte";
        }

        @Override
        public long bytes() {
            return (long) rows * cols;
        }

        @Override
        public void multiply(Rows x, int xColumn, Rows y, int yColumn, int tile, Scratch scratch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void dequantizeRow(int row, float[] dst, int dstAt) {
            throw new UnsupportedOperationException();
        }
    }

    private static DeepSeekConfig config() {
        String json = """
                {"model_type": "deepseek_v2", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 6,
                 "moe_intermediate_size": 3, "num_hidden_layers": 2, "num_attention_heads": 2, "n_shared_experts": 1,
                 "n_routed_experts": 4, "num_experts_per_tok": 2, "first_k_dense_replace": 1, "kv_lora_rank": 4,
                 "qk_nope_head_dim": 3, "qk_rope_head_dim": 2, "v_head_dim": 6, "max_position_embeddings": 64,
                 "rope_theta": 10000.0, "rms_norm_eps": 1e-6}
                """;
        return DeepSeekConfig.parse(Json.object(json.getBytes(StandardCharsets.UTF_8), "config.json"));
    }

    private static List<LayerWeights> layers() {
        MlaWeights attention = new MlaWeights(
                new OneByte(2 * 5, HIDDEN),
                null,
                null,
                null,
                new OneByte(6, HIDDEN),
                null,
                new Weight[] {new OneByte(3, 4), new OneByte(3, 4)},
                new Weight[] {new OneByte(4, 3), new OneByte(4, 3)},
                new Weight[] {new OneByte(6, 4), new OneByte(6, 4)},
                new OneByte(HIDDEN, 2 * 6),
                new float[0],
                new float[0],
                new float[0]);
        SwiGlu expert = network(3);
        return List.of(
                new LayerWeights(attention, Optional.of(network(6)), Optional.empty(), List.of(), Optional.empty()),
                new LayerWeights(
                        attention,
                        Optional.empty(),
                        Optional.of(new OneByte(4, HIDDEN)),
                        List.of(expert, expert, expert, expert),
                        Optional.of(network(3))));
    }

    private static SwiGlu network(int width) {
        return new SwiGlu(new OneByte(width, HIDDEN), new OneByte(width, HIDDEN), new OneByte(HIDDEN, width));
    }

    @Test
    void everyPhaseIsCounted() {
        List<PhaseCost> attention = List.of(
                new PhaseCost("attention projections", 80 + 48, 2 * 128 * 4),
                new PhaseCost("W_UK, absorbed", 24, 2 * 24),
                new PhaseCost("W_UK, expanded", 24, 2 * 24 * 3),
                // 11 and 1 + 2 + 3 positions of 2 heads, each with 2 * 4 + 2 and 3 + 2 + 6 values.
                new PhaseCost("attention over the cache", (11 + 3) * CACHE_ROW, 2 * 11 * 2 * 10 + 2 * 6 * 2 * 11),
                new PhaseCost("W_UV", 48, 2 * 48 * 4),
                new PhaseCost("output projection", 96, 2 * 96 * 4));
        List<PhaseCost> phases = account.phases(MIXED);
        assertEquals(attention, phases.subList(0, 6));
        assertEquals(new PhaseCost("dense feed-forward", 144, 2 * 144 * 4), phases.get(6));
        assertEquals(attention, phases.subList(7, 13));
        assertEquals(
                List.of(
                        new PhaseCost("router", 32, 2 * 32 * 4),
                        new PhaseCost("routed experts", 3 * 72, 2 * 72 * 4 * 2),
                        new PhaseCost("shared experts", 72, 2 * 72 * 4),
                        new PhaseCost("head", 80, 2 * 80 * 2)),
                phases.subList(13, phases.size()));
    }

    @Test
    void theLimitIsTheSumOfTheSlowerHalves() {
        Roofline reading = new Roofline(new MachineLimits(1e-9, 10e-9, 512, 2));
        reading.add(account.phases(MIXED));
        assertEquals(1520, reading.bytes());
        assertEquals(1520, reading.seconds(), 1e-9);
        assertEquals(BenchmarkResult.Limit.BANDWIDTH, reading.limit());

        Roofline computing = new Roofline(new MachineLimits(1e-9, 5e-9, 512, 2));
        computing.add(account.phases(MIXED));
        computing.add(account.phases(MIXED));
        assertEquals(2 * 2019.2, computing.seconds(), 1e-9);
        assertEquals(BenchmarkResult.Limit.ARITHMETIC, computing.limit());
        assertEquals(
                computing.seconds() / 8,
                computing.phases(8).stream()
                        .mapToDouble(BenchmarkResult.PhaseLimit::limitSeconds)
                        .sum(),
                1e-9);
    }

    @Test
    void oneRowMeetsItsExperts() {
        StepShape row = account.oneRow(7);
        assertArrayEquals(new int[] {0, 2}, row.distinctExperts());
        PhaseCost experts = account.phases(row).stream()
                .filter(phase -> phase.name().equals("routed experts"))
                .findFirst()
                .orElseThrow();
        assertEquals(new PhaseCost("routed experts", 144, 2 * 144), experts);
    }
}
