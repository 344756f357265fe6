package dev.remora.models.deepseek;

import dev.remora.core.Activations;
import dev.remora.core.Batch;
import dev.remora.core.CacheFormat;
import dev.remora.core.CachePool;
import dev.remora.core.Rows;
import dev.remora.core.ThreadTeam;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.json.Json;
import dev.remora.mla.Evaluation;
import dev.remora.models.VectorKernels;
import dev.remora.models.transformer.Transformer;
import dev.remora.models.weights.WeightLoader;
import dev.remora.moe.MoeWorkspace;
import dev.remora.moe.Routing;
import dev.remora.moe.policy.RouterPolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A tiny checkpoint of the test resources, assembled, with everything of a forward pass recorded. */
final class GoldenModel implements AutoCloseable {
    static final int MAX_ROWS = 512;

    final DeepSeekConfig config;
    final CacheFormat cacheFormat;
    final Checkpoint golden;
    private final Arena arena = Arena.ofShared();
    private final Checkpoint checkpoint;
    private final ThreadTeam team;
    private final CachePool pool;
    private final Transformer transformer;
    private final Optional<MoeWorkspace> experts;
    private final Batch batch = new Batch(MAX_ROWS);

    /** What a step let be seen: rows in order over all steps. */
    static final class Trace {
        final List<float[]> logits = new ArrayList<>();
        final List<List<float[]>> hidden = new ArrayList<>();
        final List<List<int[]>> experts = new ArrayList<>();
        final List<List<float[]>> expertWeights = new ArrayList<>();

        Trace(int layers) {
            for (int i = 0; i <= layers; i++) {
                hidden.add(new ArrayList<>());
                experts.add(new ArrayList<>());
                expertWeights.add(new ArrayList<>());
            }
        }
    }

    private Trace trace;

    GoldenModel(String name, CacheFormat format, Evaluation evaluation, int threads) {
        this(name, format, evaluation, threads, Activations.F32);
    }

    GoldenModel(String name, CacheFormat format, Evaluation evaluation, int threads, Activations activations) {
        VectorKernels.await();
        CheckpointSource source = CheckpointSource.ofFolder(folder(name));
        config = DeepSeekConfig.parse(Json.object(source.read("config.json"), "config.json"));
        cacheFormat = format;
        golden = Checkpoint.openFile(source, "golden.safetensors");
        checkpoint = Checkpoint.open(source);
        WeightLoader loader = new WeightLoader();
        DeepSeekAssembler assembler = new DeepSeekAssembler(config, checkpoint, loader, activations);
        loader.load(arena, 2, done -> {});
        team = new ThreadTeam(threads, MAX_ROWS, assembler.inputWidth());
        experts = assembler.moeWorkspace(MAX_ROWS, team);
        experts.ifPresent(workspace -> workspace.listen(this::record));
        transformer = assembler.assemble(assembler.embedTokens(), team, MAX_ROWS, format, evaluation, experts);
        pool = new CachePool(config.numHiddenLayers(), config.mla().cacheWidth() * format.bytes(), 1L << 30);
        newTrace();
    }

    private static Path folder(String name) {
        try {
            return Path.of(GoldenModel.class.getResource("/goldens/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    Trace newTrace() {
        trace = new Trace(config.numHiddenLayers());
        return trace;
    }

    void policy(RouterPolicy policy) {
        experts.orElseThrow().policy(policy);
    }

    CachePool.Sequence open() {
        return pool.open(4096);
    }

    /** Appends ids to a sequence, in steps of at most {@code chunk} rows, recording every row. */
    void append(CachePool.Sequence sequence, int[] ids, int chunk) {
        for (int from = 0; from < ids.length; from += chunk) {
            step(sequence, ids, from, Math.min(chunk, ids.length - from));
        }
    }

    private void step(CachePool.Sequence sequence, int[] ids, int from, int count) {
        batch.clear();
        sequence.reserve(sequence.length() + count);
        batch.add(sequence, ids, from, count);
        Rows states = transformer.forward(batch, (layer, x) -> record(layer, x));
        sequence.resize(sequence.length() + count);
        record(config.numHiddenLayers(), states);
        recordLogits(count);
    }

    /** One step of several sequences; returns the logits of each sequence's last row. */
    List<float[]> stepTogether(List<CachePool.Sequence> sequences, List<int[]> ids) {
        batch.clear();
        for (int i = 0; i < sequences.size(); i++) {
            CachePool.Sequence sequence = sequences.get(i);
            sequence.reserve(sequence.length() + ids.get(i).length);
            batch.add(sequence, ids.get(i), 0, ids.get(i).length);
        }
        transformer.forward(batch, (layer, x) -> {});
        List<float[]> last = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
            sequences.get(i).resize(sequences.get(i).length() + ids.get(i).length);
            Rows logits = transformer.logits(batch.segmentStart(i + 1) - 1, 1);
            last.add(row(logits, 0));
        }
        return last;
    }

    private void record(int layer, Routing routing) {
        for (int row = 0; row < routing.rows(); row++) {
            int[] ids = new int[routing.count(row)];
            float[] weights = new float[ids.length];
            for (int rank = 0; rank < ids.length; rank++) {
                ids[rank] = routing.expert(row, rank);
                weights[rank] = routing.weight(row, rank);
            }
            trace.experts.get(layer).add(ids);
            trace.expertWeights.get(layer).add(weights);
        }
    }

    private void record(int layer, Rows x) {
        for (int row = 0; row < x.count(); row++) {
            trace.hidden.get(layer).add(row(x, row));
        }
    }

    private void recordLogits(int count) {
        for (int from = 0; from < count; from += Transformer.HEAD_ROWS) {
            int n = Math.min(Transformer.HEAD_ROWS, count - from);
            Rows logits = transformer.logits(from, n);
            for (int row = 0; row < n; row++) {
                trace.logits.add(row(logits, row));
            }
        }
    }

    private static float[] row(Rows rows, int row) {
        float[] copy = new float[rows.width()];
        System.arraycopy(rows.data(), rows.offset(row), copy, 0, copy.length);
        return copy;
    }

    /** The cached latent of a position, without the rotated key. */
    float[] latent(CachePool.Sequence sequence, int layer, int position) {
        MemorySegment page = sequence.page(position);
        long at = sequence.offset(layer, position);
        float[] latent = new float[config.mla().kvLoraRank()];
        for (int i = 0; i < latent.length; i++) {
            latent[i] = cacheFormat == CacheFormat.F32
                    ? page.get(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at + 4L * i)
                    : Float.intBitsToFloat(
                            page.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at + 2L * i)
                                    << 16);
        }
        return latent;
    }

    int[] goldenInts(String name) {
        Tensor tensor = golden.tensor(name);
        int[] values = new int[Math.toIntExact(tensor.elements())];
        MemorySegment.copy(
                tensor.data(),
                ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                0,
                values,
                0,
                values.length);
        return values;
    }

    float[] goldenFloats(String name) {
        Tensor tensor = golden.tensor(name);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        MemorySegment.copy(
                tensor.data(),
                ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                0,
                values,
                0,
                values.length);
        return values;
    }

    @Override
    public void close() {
        team.close();
        pool.close();
        checkpoint.close();
        golden.close();
        arena.close();
    }
}
