package dev.remora.models.synthetic;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.models.synthetic.TensorPlan.Content;
import dev.remora.models.synthetic.TensorPlan.Planned;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;

/** A checkpoint of which only the small files exist; the tensors are made when they are asked for. */
final class SyntheticSource implements CheckpointSource {
    static final String WEIGHTS = "model.safetensors";

    private static final long SEED = 0x5e3779b97f4a7c15L;
    private static final float BIAS = 0.01f;
    private static final short ONE_BF16 = 0x3f80;
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final String name;
    private final TensorPlan plan;
    private final Map<String, Supplier<byte[]>> files = new TreeMap<>();

    SyntheticSource(Specification specification) {
        name = specification.name();
        plan = new TensorPlan(specification);
        SyntheticTokenizer tokenizer = new SyntheticTokenizer(specification);
        files.put("config.json", specification::configJson);
        files.put("generation_config.json", specification::generationConfigJson);
        files.put("tokenizer.json", tokenizer::tokenizerJson);
        files.put("tokenizer_config.json", tokenizer::tokenizerConfigJson);
    }

    @Override
    public boolean exists(String file) {
        return file.equals(WEIGHTS) || files.containsKey(file);
    }

    @Override
    public byte[] read(String file) {
        Supplier<byte[]> content = files.get(file);
        if (content == null) {
            throw new CheckpointException(
                    describe(file) + ": expected one of " + files.keySet() + ", found no such file");
        }
        return content.get();
    }

    /** Impossible: nothing lies in a file here. {@link #tensors} is what a checkpoint asks for. */
    @Override
    public MemorySegment map(String file, Arena arena) {
        throw new CheckpointException(
                describe(file) + ": is made tensor by tensor, not as a file; save the model to have files");
    }

    @Override
    public List<Tensor> tensors(String file, Arena arena) {
        if (!file.equals(WEIGHTS)) {
            throw new CheckpointException(describe(file) + ": expected " + WEIGHTS + ", found no such file");
        }
        SplittableRandom random = new SplittableRandom(SEED);
        Map<DType, NumberPool> pools = new EnumMap<>(DType.class);
        List<Tensor> tensors = new ArrayList<>(plan.tensors().size());
        for (Planned planned : plan.tensors()) {
            DType dtype = planned.dtype();
            MemorySegment data = switch (planned.content()) {
                case WEIGHTS ->
                    pools.computeIfAbsent(
                                    dtype,
                                    d -> new NumberPool(arena, d, plan.largest(Content.WEIGHTS, d), random.split()))
                            .numbers(planned.elements());
                case SCALES -> pools.get(DType.F8_E4M3).scales(planned.elements(), arena);
                case NORM -> ones(dtype, planned, arena);
                case BIAS -> biases(planned, random, arena);
            };
            tensors.add(Tensor.of(planned.name(), dtype, planned.shape(), data, describe(file)));
        }
        return tensors;
    }

    private static MemorySegment ones(DType dtype, Planned planned, Arena arena) {
        MemorySegment ones = arena.allocate(planned.bytes(), Float.BYTES);
        for (long at = 0; at < ones.byteSize(); at += dtype.byteSize()) {
            if (dtype == DType.F32) {
                ones.set(FLOAT, at, 1);
            } else {
                ones.set(SHORT, at, ONE_BF16);
            }
        }
        return ones;
    }

    private static MemorySegment biases(Planned planned, SplittableRandom random, Arena arena) {
        MemorySegment biases = arena.allocate(planned.bytes(), Float.BYTES);
        for (long at = 0; at < biases.byteSize(); at += Float.BYTES) {
            biases.set(FLOAT, at, (float) (random.nextGaussian() * BIAS));
        }
        return biases;
    }

    @Override
    public String describe(String file) {
        return describe() + "/" + file;
    }

    @Override
    public String describe() {
        return "synthetic:" + name;
    }

    @Override
    public List<String> names() {
        List<String> names = new ArrayList<>(files.keySet());
        names.add(WEIGHTS);
        names.sort(null);
        return names;
    }
}
