package dev.remora.moe;

import dev.remora.core.Batch;
import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;

/** One sparse layer with seeded random weights, and its input. */
final class MoeFixture implements AutoCloseable {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final Arena arena = Arena.ofShared();
    final MoeConfig config;
    final Weight gate;
    final float[] bias;
    final List<SwiGlu> experts = new ArrayList<>();
    final Optional<SwiGlu> shared;

    MoeFixture(MoeConfig config, long seed) {
        this(config, seed, DenseFormat.F32);
    }

    MoeFixture(MoeConfig config, long seed, DenseFormat format) {
        this.config = config;
        RandomGenerator random = new Random(seed);
        gate = weight(random, DenseFormat.F32, config.nRoutedExperts(), config.hiddenSize());
        bias = config.topkMethod() == TopkMethod.NOAUX_TC
                ? values(random, config.nRoutedExperts(), 0.2f)
                : new float[0];
        for (int i = 0; i < config.nRoutedExperts(); i++) {
            experts.add(network(random, format, config.moeIntermediateSize()));
        }
        shared = config.nSharedExperts() == 0
                ? Optional.empty()
                : Optional.of(network(random, format, config.sharedIntermediateSize()));
    }

    /** A router like DeepSeek-V3's, with the odd sizes of the goldens. */
    static MoeConfig sigmoidConfig() {
        return new MoeConfig(160, 72, 8, 1, 3, 4, 2, ScoringFunc.SIGMOID, TopkMethod.NOAUX_TC, true, 2.5);
    }

    static MoeConfig softmaxConfig() {
        return new MoeConfig(160, 72, 12, 2, 4, 1, 1, ScoringFunc.SOFTMAX, TopkMethod.GREEDY, false, 1);
    }

    MixtureOfExperts layer(MoeWorkspace workspace) {
        return layer(workspace, new ResidentExperts(config, List.of(List.of(), experts)));
    }

    MixtureOfExperts layer(MoeWorkspace workspace, ExpertStore store) {
        return new MixtureOfExperts(1, config, router(workspace), store, shared, workspace);
    }

    Router router(MoeWorkspace workspace) {
        return new Router("model.layers.1.mlp.gate", config, gate, bias, workspace);
    }

    /** Runs rows of x and returns the output, row after row. */
    float[] run(float[] x, int rows, int threads) {
        try (ThreadTeam team = new ThreadTeam(threads, rows)) {
            Rows out = new Rows(rows, config.hiddenSize());
            layer(new MoeWorkspace(config, rows, team)).forward(rows(x, rows), prompt(rows), out);
            return out.data();
        }
    }

    /** Rows of one sequence, from its beginning. */
    static Batch prompt(int rows) {
        return Batches.of(rows);
    }

    Rows rows(float[] x, int rows) {
        Rows h = new Rows(rows, config.hiddenSize());
        h.resize(rows);
        System.arraycopy(x, 0, h.data(), 0, rows * config.hiddenSize());
        return h;
    }

    float[] input(int rows, long seed) {
        return values(new Random(seed), rows * config.hiddenSize(), 1);
    }

    static float[] values(RandomGenerator random, int n, float scale) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return values;
    }

    private SwiGlu network(RandomGenerator random, DenseFormat format, int intermediate) {
        int hidden = config.hiddenSize();
        return new SwiGlu(
                weight(random, format, intermediate, hidden),
                weight(random, format, intermediate, hidden),
                weight(random, format, hidden, intermediate));
    }

    private Weight weight(RandomGenerator random, DenseFormat format, int rows, int cols) {
        MemorySegment data = arena.allocate((long) rows * cols * format.elementBytes());
        for (int i = 0; i < rows * cols; i++) {
            float value = (float) (random.nextGaussian() / Math.sqrt(cols));
            switch (format) {
                case F32 -> data.set(FLOAT, 4L * i, value);
                case BF16 -> data.set(SHORT, 2L * i, (short) (Float.floatToRawIntBits(value) >>> 16));
                case F16 -> data.set(SHORT, 2L * i, Float.floatToFloat16(value));
            }
        }
        return new DenseMatrix("random", format, data, rows, cols).pack(arena);
    }

    /** Rows of a weight, decoded. */
    static float[][] decode(Weight weight) {
        float[][] rows = new float[weight.rows()][weight.cols()];
        for (int row = 0; row < rows.length; row++) {
            weight.dequantizeRow(row, rows[row], 0);
        }
        return rows;
    }

    @Override
    public void close() {
        arena.close();
    }
}
