package dev.remora.models;

import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.SafetensorsWriter;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A checkpoint in memory whose keys, tensors and files can be changed before it is written to a folder. */
final class TestCheckpoint {
    /** The keys of config.json, as plain values of JSON. */
    final Map<String, Object> config;

    /** The tensors, by name. */
    final Map<String, Stored> tensors = new TreeMap<>();

    /** Further files. */
    final Map<String, String> files = new TreeMap<>();

    /** A tensor as it is stored. */
    static final class Stored {
        final DType dtype;
        final long[] shape;
        final byte[] bytes;

        Stored(DType dtype, byte[] bytes, long... shape) {
            this.dtype = dtype;
            this.shape = shape;
            this.bytes = bytes;
        }

        int dim(int i) {
            return Math.toIntExact(shape[i]);
        }
    }

    private TestCheckpoint(Map<String, Object> config) {
        this.config = config;
    }

    /** One of the goldens, in a shape of its own that tests may change. */
    static TestCheckpoint golden(String name) {
        CheckpointSource source = CheckpointSource.ofFolder(folder(name));
        TestCheckpoint copy = new TestCheckpoint(object(Json.parse(source.read("config.json"), "config.json")));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            for (Tensor tensor : checkpoint.tensors()) {
                byte[] bytes = tensor.data().toArray(ValueLayout.JAVA_BYTE);
                copy.tensors.put(tensor.name(), new Stored(tensor.dtype(), bytes, tensor.shape()));
            }
        }
        return copy;
    }

    /** The folder of a golden. */
    static Path folder(String name) {
        try {
            return Path.of(Objects.requireNonNull(TestCheckpoint.class.getResource("/goldens/" + name))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @SuppressWarnings("unchecked") // Json creates maps with string keys only
    static Map<String, Object> object(Object json) {
        return (Map<String, Object>) json;
    }

    /** An object within config.json. */
    Map<String, Object> object(String key) {
        return object(config.get(key));
    }

    Stored tensor(String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    /** Writes one tensor in another dtype. */
    void store(String name, DType dtype, float[] values, long... shape) {
        tensors.put(name, new Stored(dtype, encode(dtype, values), shape));
    }

    /** The numbers of a tensor without block scales. */
    float[] floats(String name) {
        Stored tensor = tensor(name);
        ByteBuffer data = ByteBuffer.wrap(tensor.bytes).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[tensor.bytes.length / tensor.dtype.byteSize()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (tensor.dtype) {
                case F32 -> data.getFloat();
                case BF16 -> Float.intBitsToFloat(data.getShort() << 16);
                case F16 -> Float.float16ToFloat(data.getShort());
                default -> throw new IllegalArgumentException(name + " is " + tensor.dtype);
            };
        }
        return values;
    }

    private static byte[] encode(DType dtype, float[] values) {
        ByteBuffer data = ByteBuffer.allocate(values.length * dtype.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (dtype) {
                case F32 -> data.putFloat(value);
                // Exact for what was BF16 before; the tests that use it say so.
                case BF16 -> data.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                case F16 -> data.putShort(Float.floatToFloat16(value));
                default -> throw new IllegalArgumentException(dtype.toString());
            }
        }
        return data.array();
    }

    /** The same tensors under other names. */
    void rename(UnaryOperator<String> newName) {
        Map<String, Stored> renamed = new TreeMap<>();
        tensors.forEach((name, tensor) -> renamed.put(newName.apply(name), tensor));
        tensors.clear();
        tensors.putAll(renamed);
    }

    /** Replaces all tensors. */
    void replace(Function<String, Stored> change) {
        Map<String, Stored> changed = new TreeMap<>();
        tensors.keySet().forEach(name -> changed.put(name, change.apply(name)));
        tensors.putAll(changed);
    }

    /** A tensor in another dtype. */
    Stored converted(String name, DType dtype) {
        return new Stored(dtype, encode(dtype, floats(name)), tensor(name).shape);
    }

    /** The experts of every layer in one tensor each, gate above up, as newer checkpoints store them. */
    void fuseExperts() {
        int experts = ((Long) config.get("n_routed_experts")).intValue();
        List<String> layers = tensors.keySet().stream()
                .filter(name -> name.endsWith(".mlp.experts.0.down_proj.weight"))
                .map(name -> name.substring(0, name.length() - ".0.down_proj.weight".length()))
                .toList();
        for (String layer : layers) {
            boolean scaled = tensors.containsKey(layer + ".0.down_proj.weight_scale_inv");
            for (String suffix : scaled ? List.of("", "_scale_inv") : List.of("")) {
                List<Stored> gateUp = new ArrayList<>();
                List<Stored> down = new ArrayList<>();
                for (int expert = 0; expert < experts; expert++) {
                    for (String part : List.of("gate_proj", "up_proj")) {
                        gateUp.add(tensors.remove(layer + "." + expert + "." + part + ".weight" + suffix));
                    }
                    down.add(tensors.remove(layer + "." + expert + ".down_proj.weight" + suffix));
                }
                tensors.put(layer + ".gate_up_proj" + suffix, stack(gateUp, experts));
                tensors.put(layer + ".down_proj" + suffix, stack(down, experts));
            }
        }
    }

    private static Stored stack(List<Stored> parts, int count) {
        Stored first = parts.getFirst();
        ByteBuffer bytes = ByteBuffer.allocate(parts.size() * first.bytes.length);
        parts.forEach(part -> bytes.put(part.bytes));
        return new Stored(first.dtype, bytes.array(), count, first.shape[0] * parts.size() / count, first.shape[1]);
    }

    /** Writes config.json, the tensors in {@code shards} files, and the further files. */
    Path write(Path folder, int shards) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.json"), json(config));
            for (Map.Entry<String, String> file : files.entrySet()) {
                Files.writeString(folder.resolve(file.getKey()), file.getValue());
            }
            if (shards == 1) {
                write(folder.resolve("model.safetensors"), List.copyOf(tensors.keySet()));
                return folder;
            }
            Map<String, Object> weightMap = new LinkedHashMap<>();
            for (int shard = 0; shard < shards; shard++) {
                String file = String.format("model-%05d-of-%05d.safetensors", shard + 1, shards);
                List<String> all = List.copyOf(tensors.keySet());
                int s = shard;
                List<String> here = IntStream.range(0, all.size())
                        .filter(i -> i % shards == s)
                        .mapToObj(all::get)
                        .toList();
                write(folder.resolve(file), here);
                here.forEach(name -> weightMap.put(name, file));
            }
            Files.writeString(folder.resolve("model.safetensors.index.json"), json(Map.of("weight_map", weightMap)));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(Path file, List<String> names) {
        try (SafetensorsWriter out = new SafetensorsWriter(file)) {
            names.forEach(name -> out.declare(name, tensor(name).dtype, tensor(name).shape));
            names.forEach(name -> out.append(name, tensor(name).bytes));
            out.finish();
        }
    }

    /** Plain values as JSON. */
    static String json(Object value) {
        return switch (value) {
            case null -> "null";
            case String text -> Json.quote(text);
            case Map<?, ?> map ->
                map.entrySet().stream()
                        .map(e -> Json.quote(String.valueOf(e.getKey())) + ": " + json(e.getValue()))
                        .collect(Collectors.joining(", ", "{", "}"));
            case List<?> list -> list.stream().map(TestCheckpoint::json).collect(Collectors.joining(", ", "[", "]"));
            default -> value.toString();
        };
    }

    /** Writes text over a file of a written checkpoint. */
    static void overwrite(Path folder, String file, String text) {
        try {
            Files.write(folder.resolve(file), text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first {@code bytes} bytes of a file of a written checkpoint. */
    static void cut(Path folder, String file, int bytes) {
        try {
            Path path = folder.resolve(file);
            Files.write(path, Arrays.copyOf(Files.readAllBytes(path), bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
