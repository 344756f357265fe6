package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A checkpoint made of byte arrays, and helpers that make such bytes by hand. */
final class MemorySource implements CheckpointSource {
    private final Map<String, byte[]> files = new TreeMap<>();

    MemorySource with(String name, byte[] bytes) {
        files.put(name, bytes);
        return this;
    }

    MemorySource with(String name, String text) {
        return with(name, text.getBytes(StandardCharsets.UTF_8));
    }

    /** A file with this header and so many bytes of data, 0, 1, 2 and so on. */
    static byte[] safetensors(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        byte[] data = new byte[dataBytes];
        for (int i = 0; i < dataBytes; i++) {
            data[i] = (byte) i;
        }
        return file(json.length, json, data);
    }

    /** A file whose first 8 bytes are {@code length}, true or not. */
    static byte[] file(long length, byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .array());
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** A header entry in {@code F32}, for example {@code entry("a", "2, 3", 0, 24)}. */
    static String entry(String name, String shape, long from, long to) {
        return "\"" + name + "\": {\"dtype\": \"F32\", \"shape\": [" + shape + "], \"data_offsets\": [" + from + ", "
                + to + "]}";
    }

    @Override
    public boolean exists(String name) {
        return files.containsKey(name);
    }

    @Override
    public byte[] read(String name) {
        byte[] bytes = files.get(name);
        if (bytes == null) {
            throw new CheckpointException(name + ": no such file");
        }
        return bytes;
    }

    @Override
    public MemorySegment map(String name, Arena arena) {
        byte[] bytes = read(name);
        MemorySegment segment = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment.asReadOnly();
    }

    @Override
    public String describe(String name) {
        return "memory/" + name;
    }

    @Override
    public String describe() {
        return "memory";
    }

    @Override
    public List<String> names() {
        return List.copyOf(files.keySet());
    }
}
