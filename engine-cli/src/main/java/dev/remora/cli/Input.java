package dev.remora.cli;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Reads what the user hands over. Every error is a {@link UsageException} that says where the fault lies. */
final class Input {
    static final String STDIN = "standard input";

    private Input() {}

    /** The bytes of a file, or of standard input if its name is {@code -}. */
    static byte[] bytes(Path file, Shell shell) {
        if (file.toString().equals("-")) {
            return shell.readInput();
        }
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UsageException(file + ": " + reason(file, e), e);
        }
    }

    /** How errors name that file. */
    static String name(Path file) {
        return file.toString().equals("-") ? STDIN : file.toString();
    }

    /** The text of a file, or of standard input if its name is {@code -}, strictly UTF-8. */
    static String text(Path file, Shell shell) {
        return utf8(bytes(file, shell), 0, name(file));
    }

    /**
     * Decodes UTF-8 and replaces nothing.
     *
     * @param offset where the bytes start in their source, for the error
     */
    static String utf8(byte[] bytes, long offset, String source) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            CharBuffer text = decoder.decode(buffer);
            return text.toString();
        } catch (CharacterCodingException e) {
            int at = buffer.position();
            throw new UsageException(
                    "%s: invalid UTF-8 at byte %d (0x%02X); convert the text to UTF-8 first"
                            .formatted(source, offset + at, bytes[at]),
                    e);
        }
    }

    /** Token ids from a file that holds a JSON array of integers. */
    static int[] ids(Path file, Shell shell) {
        return ids(text(file, shell), name(file));
    }

    /** Token ids from a JSON array of integers. */
    static int[] ids(String json, String source) {
        if (!(json(json, source) instanceof List<?> items)) {
            throw new UsageException(source + ": expected a JSON array of token ids, such as [0, 17, 42]");
        }
        return ids(items, source);
    }

    /** Token ids from the parsed elements of a JSON array. */
    static int[] ids(List<?> items, String source) {
        int[] ids = new int[items.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!(items.get(i) instanceof Long id) || id < 0 || id > Integer.MAX_VALUE) {
                throw new UsageException(
                        source + ": element " + i + ": expected a token id (an integer from 0), found " + items.get(i));
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    /** Parses JSON that comes from the user, not from a model. */
    static Object json(String text, String source) {
        try {
            return Json.parse(text, source);
        } catch (CheckpointException e) {
            throw new UsageException(e.getMessage(), e);
        }
    }

    /** A parsed value that must be an object. */
    @SuppressWarnings("unchecked") // the parser makes maps with string keys only
    static Map<String, Object> object(Object value, String source) {
        if (!(value instanceof Map)) {
            throw new UsageException(source + ": expected a JSON object, found " + JsonWriter.write(value));
        }
        return (Map<String, Object>) value;
    }

    /** Why a file cannot be read. */
    static String reason(Path file, IOException e) {
        if (Files.notExists(file)) {
            return "no such file";
        }
        return Files.isDirectory(file) ? "a folder, expected a file" : "cannot be read: " + e.getMessage();
    }
}
