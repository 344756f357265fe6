package dev.remora.models.eval;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * What the exact router said: the logits of every scored token, in a temporary file because those of a large vocabulary fit
 * no memory, and which answers were right. Written in order, then read in order, as often as wanted.
 */
final class Yardstick implements AutoCloseable {
    private final BitSet right = new BitSet();
    private final Path path;
    private final RandomAccessFile file;
    private final ByteBuffer row;

    /** @throws UncheckedIOException if there is no room for temporary files */
    Yardstick(int vocabSize) {
        row = ByteBuffer.allocate(Math.multiplyExact(vocabSize, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        Path created = null;
        try {
            created = Files.createTempFile("remora-eval-", ".logits");
            file = new RandomAccessFile(created.toFile(), "rw");
        } catch (IOException e) {
            throw failed(created, e);
        }
        path = created;
    }

    /** Where the rows are, until this is closed. */
    Path file() {
        return path;
    }

    /** Back to the first row. */
    void rewind() {
        try {
            file.seek(0);
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    void write(float[] logits) {
        row.asFloatBuffer().put(logits);
        try {
            file.write(row.array());
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    void read(float[] logits) {
        try {
            file.readFully(row.array());
        } catch (IOException e) {
            throw failed(path, e);
        }
        row.asFloatBuffer().get(logits);
    }

    /** Notes whether the answer to a text is right. */
    void judge(int text, boolean isRight) {
        right.set(text, isRight);
    }

    boolean right(int text) {
        return right.get(text);
    }

    @Override
    public void close() {
        try (file) {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private static UncheckedIOException failed(Path path, IOException e) {
        String name = path == null ? System.getProperty("java.io.tmpdir") : path.toString();
        return new UncheckedIOException(
                name + ": the exact router's distributions cannot be kept there: " + e.getMessage()
                        + ". Make room, or name another folder with -Djava.io.tmpdir",
                e);
    }
}
