package dev.remora.core.weight;

import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Where an element stands in a tile, and the copy from row-major order into tiles. The only class that knows either. */
public final class TileLayout {
    /** Bytes of a word. */
    public static final int WORD = 4;

    private static final int TILE = Weight.TILE;
    private static final int STRIP = 16;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private TileLayout() {}

    /** Words of one matrix row. */
    public static int words(int cols, int elementBytes) {
        return Math.toIntExact(((long) cols * elementBytes + WORD - 1) / WORD);
    }

    /** Bytes of one tile. */
    public static long tileBytes(int cols, int elementBytes) {
        return (long) words(cols, elementBytes) * TILE * WORD;
    }

    /** Bytes of a whole matrix, the last tile padded. */
    public static long bytes(int rows, int cols, int elementBytes) {
        return (rows + TILE - 1L) / TILE * tileBytes(cols, elementBytes);
    }

    /** Byte offset of element (row, col). */
    public static long offset(int row, int col, int cols, int elementBytes) {
        long inRow = (long) col * elementBytes;
        return row / TILE * tileBytes(cols, elementBytes) + (inRow / WORD * TILE + row % TILE) * WORD + inRow % WORD;
    }

    /** Sees every word on its way, to find codes that are no numbers. */
    @FunctionalInterface
    public interface WordCheck {
        /** True if the word is sound. */
        boolean test(int word);

        /** Accepts every word. */
        WordCheck NONE = word -> true;
    }

    /** Called with the element that failed a {@link WordCheck}. */
    @FunctionalInterface
    public interface Rejection {
        /** The exception to throw for a bad word that starts at this byte of this row. */
        RuntimeException at(int row, long byteInRow);
    }

    /**
     * Copies a row-major matrix into tiles.
     *
     * @param source       row-major elements, rows without gaps
     * @param sourceAt     byte offset of element (0, 0)
     * @param elementBytes 1, 2 or 4
     */
    public static MemorySegment pack(
            MemorySegment source,
            long sourceAt,
            int rows,
            int cols,
            int elementBytes,
            Arena arena,
            WordCheck check,
            Rejection rejection) {
        MemorySegment target = arena.allocate(bytes(rows, cols, elementBytes), 64);
        long rowBytes = (long) cols * elementBytes;
        int wholeWords = (int) (rowBytes / WORD);
        int words = words(cols, elementBytes);
        long tileBytes = tileBytes(cols, elementBytes);
        for (int row0 = 0; row0 < rows; row0 += TILE) {
            long tileAt = row0 / TILE * tileBytes;
            int rowEnd = Math.min(row0 + TILE, rows);
            // Strips of one cache line per row keep both sides of the transposition in L1.
            for (int word0 = 0; word0 < wholeWords; word0 += STRIP) {
                int wordEnd = Math.min(word0 + STRIP, wholeWords);
                for (int row = row0; row < rowEnd; row++) {
                    long from = sourceAt + row * rowBytes + (long) word0 * WORD;
                    long to = tileAt + ((long) word0 * TILE + row - row0) * WORD;
                    if (!packStrip(source, from, target, to, wordEnd - word0, check)) {
                        throw rejection.at(row, (long) word0 * WORD);
                    }
                }
            }
            if (wholeWords < words) {
                for (int row = row0; row < rowEnd; row++) {
                    long from = sourceAt + row * rowBytes + (long) wholeWords * WORD;
                    int word = lastWord(source, from, (int) (rowBytes % WORD));
                    if (!check.test(word)) {
                        throw rejection.at(row, (long) wholeWords * WORD);
                    }
                    target.set(INT, tileAt + ((long) wholeWords * TILE + row - row0) * WORD, word);
                }
            }
        }
        return target;
    }

    /** A method of its own, because short methods that are called often are compiled long before a long loop is left. */
    private static boolean packStrip(
            MemorySegment source, long from, MemorySegment target, long to, int words, WordCheck check) {
        boolean sound = true;
        for (int w = 0; w < words; w++) {
            int word = source.get(INT, from + (long) w * WORD);
            sound &= check.test(word);
            target.set(INT, to + (long) w * TILE * WORD, word);
        }
        return sound;
    }

    private static int lastWord(MemorySegment source, long at, int bytes) {
        int word = 0;
        for (int i = 0; i < bytes; i++) {
            word |= (source.get(ValueLayout.JAVA_BYTE, at + i) & 0xff) << (8 * i);
        }
        return word;
    }

    /** The bits of one element, without sign. */
    private static int element(MemorySegment source, long at, int elementBytes) {
        return switch (elementBytes) {
            case 1 -> source.get(ValueLayout.JAVA_BYTE, at) & 0xff;
            case 2 -> source.get(SHORT, at) & 0xffff;
            default -> source.get(INT, at);
        };
    }

    /**
     * Copies the transpose of a row-major matrix (cols, rows) into tiles of the matrix (rows, cols).
     *
     * @param source   the matrix (cols, rows), row-major
     * @param sourceAt byte offset of its element (0, 0)
     */
    public static MemorySegment packTransposed(
            MemorySegment source, long sourceAt, int rows, int cols, int elementBytes, Arena arena) {
        MemorySegment target = arena.allocate(bytes(rows, cols, elementBytes), 64);
        int perWord = WORD / elementBytes;
        long tileBytes = tileBytes(cols, elementBytes);
        long rowBytes = (long) rows * elementBytes;
        for (int word = 0; word < words(cols, elementBytes); word++) {
            int elements = Math.min(perWord, cols - word * perWord);
            long from = sourceAt + (long) word * perWord * rowBytes;
            for (int row = 0; row < rows; row++) {
                int packed = 0;
                for (int i = 0; i < elements; i++) {
                    long at = from + i * rowBytes + (long) row * elementBytes;
                    packed |= element(source, at, elementBytes) << (8 * elementBytes * i);
                }
                target.set(INT, row / TILE * tileBytes + ((long) word * TILE + row % TILE) * WORD, packed);
            }
        }
        return target;
    }
}
