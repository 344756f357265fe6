package dev.remora.core.checkpoint;

import dev.remora.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What a safetensors file begins with: the length and the text that say which tensor lies where. */
final class SafetensorsHeader {
    private final byte[] bytes;
    private final List<Long> offsets = new ArrayList<>();
    private final long fileBytes;

    /**
     * The tensors follow each other without gaps.
     *
     * @param alignment the data begins at a multiple of this in the file; spaces fill the header, as the format allows
     */
    SafetensorsHeader(List<TensorSpec> tensors, int alignment) {
        Set<String> names = new HashSet<>();
        StringBuilder json = new StringBuilder("{");
        long offset = 0;
        for (TensorSpec tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("tensor " + tensor.name() + " declared twice");
            }
            offsets.add(offset);
            json.append(json.length() == 1 ? "" : ",")
                    .append(Json.quote(tensor.name()))
                    .append(":{\"dtype\":\"")
                    .append(tensor.dtype())
                    .append("\",\"shape\":")
                    .append(tensor.shape().stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]")))
                    .append(",\"data_offsets\":[")
                    .append(offset);
            offset = Math.addExact(offset, tensor.byteSize());
            json.append(',').append(offset).append("]}");
        }
        byte[] text = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
        int length = Math.ceilDiv(Safetensors.LENGTH_BYTES + text.length, alignment) * alignment;
        ByteBuffer header = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(length - Safetensors.LENGTH_BYTES).put(text);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        bytes = header.array();
        fileBytes = Math.addExact(offset, length);
    }

    /** The beginning of the file. */
    ByteBuffer bytes() {
        return ByteBuffer.wrap(bytes);
    }

    /** Where the data of a tensor begins in the file. */
    long offset(int tensor) {
        return bytes.length + offsets.get(tensor);
    }

    /** Length of the file. */
    long fileBytes() {
        return fileBytes;
    }
}
