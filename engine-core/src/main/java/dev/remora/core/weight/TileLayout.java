package dev.remora.core.weight;

import dev.remora.core.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Where an element stands in a tile, and the copy from row-major order into tiles. The only class that knows either. */
public final class TileLayout {
    /** Bytes of a word. */
    public static final int WORD = 4;

    private static final int TILE = Weight.TILE;
    private static final int WORD_ROW = TILE * WORD;
    private static final long LOW = 0xffff_ffffL;

    /** Bytes of a row that are transposed at a time: with 64 rows, what fits the second cache of every CPU. */
    private static final int PANEL = 4096;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
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

    /**
     * Copies some tiles of a row-major matrix.
     *
     * @param source       row-major elements, rows without gaps
     * @param sourceAt     byte offset of element (0, 0)
     * @param elementBytes 1, 2 or 4
     * @param check        looks for codes that are no numbers
     * @param target       all tiles, zeroed
     * @param fromTile     first tile
     * @param toTile       after the last tile
     * @return -1, or the first offset from {@code sourceAt} near which the check found a code; the rest is then not copied
     */
    public static long pack(
            MemorySegment source,
            long sourceAt,
            int rows,
            int cols,
            int elementBytes,
            CodeCheck check,
            MemorySegment target,
            int fromTile,
            int toTile) {
        long rowBytes = (long) cols * elementBytes;
        long tileBytes = tileBytes(cols, elementBytes);
        for (int tile = fromTile; tile < toTile; tile++) {
            int count = Math.min(TILE, rows - tile * TILE);
            long tileStart = (long) tile * TILE * rowBytes;
            for (long start = 0; start < rowBytes; start += PANEL) {
                int width = (int) Math.min(PANEL, rowBytes - start);
                long from = sourceAt + tileStart + start;
                long bad = findBad(source, from, rowBytes, count, width, check);
                if (bad >= 0) {
                    return tileStart + start + bad;
                }
                packPanel(source, from, rowBytes, count, width, target, tile * tileBytes + start * TILE);
            }
        }
        return -1;
    }

    /**
     * Checks a panel row by row. This brings it into the cache too, in an order in which the CPU fetches well ahead: the 64
     * rows that the transposition reads at once are too many streams for it. So panels are read even where all codes pass.
     */
    private static long findBad(MemorySegment source, long from, long rowBytes, int rows, int width, CodeCheck check) {
        for (int row = 0; row < rows; row++) {
            long bad = check.find(source, from + row * rowBytes, width);
            if (bad >= 0) {
                return row * rowBytes + bad;
            }
        }
        return -1;
    }

    /** Transposes (rows, width / 4) words. */
    private static void packPanel(
            MemorySegment source, long from, long rowBytes, int rows, int width, MemorySegment target, long to) {
        int pairs = width / (2 * WORD);
        for (int pair = 0; pair < pairs; pair++) {
            packPair(source, from + (long) pair * 2 * WORD, rowBytes, rows, target, to + (long) pair * 2 * WORD_ROW);
        }
        for (int at = pairs * 2 * WORD; at < width; at += WORD) {
            for (int row = 0; row < rows; row++) {
                int word = word(source, from + row * rowBytes + at, Math.min(WORD, width - at));
                target.set(INT, to + (long) at * TILE + (long) row * WORD, word);
            }
        }
    }

    /**
     * Two neighbouring words of all rows, written in order. A method of its own, because short methods that are called often
     * are compiled long before a long loop is left.
     */
    private static void packPair(
            MemorySegment source, long from, long rowBytes, int rows, MemorySegment target, long to) {
        int even = rows & -2;
        for (int row = 0; row < even; row += 2) {
            long a = source.get(LONG, from + row * rowBytes);
            long b = source.get(LONG, from + (row + 1) * rowBytes);
            target.set(LONG, to + (long) row * WORD, (a & LOW) | b << 32);
            target.set(LONG, to + (long) row * WORD + WORD_ROW, a >>> 32 | (b & ~LOW));
        }
        if (even < rows) {
            long a = source.get(LONG, from + even * rowBytes);
            target.set(INT, to + (long) even * WORD, (int) a);
            target.set(INT, to + (long) even * WORD + WORD_ROW, (int) (a >>> 32));
        }
    }

    private static int word(MemorySegment source, long at, int bytes) {
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
     * Copies some tiles of the transpose of a row-major matrix (cols, rows): tiles of the matrix (rows, cols).
     *
     * @param source   the matrix (cols, rows), row-major
     * @param sourceAt byte offset of its element (0, 0)
     * @param target   all tiles, zeroed
     * @param fromTile first tile
     * @param toTile   after the last tile
     */
    public static void packTransposed(
            MemorySegment source,
            long sourceAt,
            int rows,
            int cols,
            int elementBytes,
            MemorySegment target,
            int fromTile,
            int toTile) {
        int perWord = WORD / elementBytes;
        long tileBytes = tileBytes(cols, elementBytes);
        long rowBytes = (long) rows * elementBytes;
        for (int tile = fromTile; tile < toTile; tile++) {
            int count = Math.min(TILE, rows - tile * TILE);
            for (int word = 0; word < words(cols, elementBytes); word++) {
                int elements = Math.min(perWord, cols - word * perWord);
                long from = sourceAt + (long) word * perWord * rowBytes + (long) tile * TILE * elementBytes;
                long to = tile * tileBytes + (long) word * WORD_ROW;
                gatherWords(source, from, rowBytes, count, elements, elementBytes, target, to);
            }
        }
    }

    /** One word of each row: the elements that stand below each other in the source. */
    private static void gatherWords(
            MemorySegment source,
            long from,
            long rowBytes,
            int rows,
            int elements,
            int elementBytes,
            MemorySegment target,
            long to) {
        for (int row = 0; row < rows; row++) {
            int packed = 0;
            for (int i = 0; i < elements; i++) {
                long at = from + i * rowBytes + (long) row * elementBytes;
                packed |= element(source, at, elementBytes) << (8 * elementBytes * i);
            }
            target.set(INT, to + (long) row * WORD, packed);
        }
    }
}
