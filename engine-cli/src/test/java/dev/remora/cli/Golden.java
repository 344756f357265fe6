package dev.remora.cli;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The tensors of a small safetensors file, read without the engine. */
record Golden(JsonObject header, ByteBuffer data) {
    static Golden read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = new byte[Math.toIntExact(bytes.getLong())];
        bytes.get(header);
        String json = new String(header, StandardCharsets.UTF_8);
        return new Golden(
                JsonObject.of(Json.parse(json, file.toString()), file.toString()),
                bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    int[] ints(String name) {
        ByteBuffer values = values(name, "I32");
        int[] ints = new int[values.remaining() / Integer.BYTES];
        values.asIntBuffer().get(ints);
        return ints;
    }

    float[] floats(String name) {
        ByteBuffer values = values(name, "F32");
        float[] floats = new float[values.remaining() / Float.BYTES];
        values.asFloatBuffer().get(floats);
        return floats;
    }

    private ByteBuffer values(String name, String dtype) {
        JsonObject tensor = header.object(name);
        if (!tensor.string("dtype").equals(dtype)) {
            throw new IllegalArgumentException(name + " is " + tensor.string("dtype"));
        }
        int from = ((Long) tensor.array("data_offsets").get(0)).intValue();
        int to = ((Long) tensor.array("data_offsets").get(1)).intValue();
        return data.slice(from, to - from).order(ByteOrder.LITTLE_ENDIAN);
    }
}
