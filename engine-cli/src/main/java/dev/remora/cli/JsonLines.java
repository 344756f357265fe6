package dev.remora.cli;

import dev.remora.core.template.TemplateException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Reads JSON objects, one on each line. Empty lines are passed over. */
final class JsonLines implements AutoCloseable {
    private final InputStream in;
    private final String source;
    private long offset;
    private int number;

    private JsonLines(InputStream in, String source) {
        this.in = new BufferedInputStream(in, 1 << 16);
        this.source = source;
    }

    /** Reads a file, or standard input if there is none. */
    static JsonLines open(Path file, Shell shell) {
        if (file == null || file.toString().equals("-")) {
            return new JsonLines(shell.in(), Input.STDIN);
        }
        try {
            return new JsonLines(Files.newInputStream(file), file.toString());
        } catch (IOException e) {
            throw new UsageException(file + ": " + Input.reason(file, e), e);
        }
    }

    /** The next object, or null at the end. */
    Line next() {
        try {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = in.read(); b >= 0; b = in.read()) {
                if (b != '\n') {
                    line.write(b);
                    continue;
                }
                number++;
                Line parsed = parse(line.toByteArray());
                offset += line.size() + 1;
                if (parsed != null) {
                    return parsed;
                }
                line.reset();
            }
            number++;
            return parse(line.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(source + ": " + e.getMessage(), e);
        }
    }

    /** True if reading on would wait for whoever writes the lines. */
    boolean mustWait() {
        try {
            return in.available() == 0;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw new UncheckedIOException(source + ": " + e.getMessage(), e);
        }
    }

    private Line parse(byte[] bytes) {
        String name = source + ", line " + number;
        String text = Input.utf8(bytes, offset, name);
        if (text.isBlank()) {
            return null;
        }
        return new Line(Input.object(Input.json(text, name), name), name);
    }

    /**
     * One object.
     *
     * @param source names the line, for errors
     */
    record Line(Map<String, Object> object, String source) {
        String string(String key) {
            if (!(object.get(key) instanceof String text)) {
                throw wrong(key, "a string");
            }
            return text;
        }

        List<?> list(String key) {
            if (!(object.get(key) instanceof List<?> list)) {
                throw wrong(key, "an array");
            }
            return list;
        }

        List<Map<String, Object>> objects(String key) {
            List<Map<String, Object>> objects = new ArrayList<>();
            for (Object item : list(key)) {
                objects.add(Input.object(item, source + ": " + key));
            }
            return objects;
        }

        /** A template that refuses the messages refuses what stands on this line. */
        String locate(Supplier<String> render) {
            try {
                return render.get();
            } catch (TemplateException e) {
                throw new UsageException(source + ": " + e.getMessage(), e);
            }
        }

        private UsageException wrong(String key, String expected) {
            String found = object.containsKey(key) ? String.valueOf(object.get(key)) : "no such key";
            return new UsageException(source + ": " + key + ": expected " + expected + ", found " + found);
        }
    }
}
