package dev.remora.core.weight;

import dev.remora.core.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Where an element stands in a tile, and the copy from row-major order into tiles. The only class that knows either.
 *
 * <p>A tile is [groups][words][rows of a group][4 bytes]: its 64 rows may lie in several groups, which a multiplication then
 * reads as so many streams.
 */
public final class TileLayout {
    /** Bytes of a word. */
    public static final int WORD = 4;

    /**
     * What the address of a matrix should be a multiple of: a page. A loop over 128 columns then ends where pages do, and a
     * CPU fetches ahead up to the end of a page only; loops that cross pages read up to 40 % slower.
     */
    public static final long ALIGNMENT = 4096;

    private static final int TILE = Weight.TILE;
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

    /** Byte offset of element (row, col) of tiles in one group. */
    public static long offset(int row, int col, int cols, int elementBytes) {
        return offset(row, col, cols, elementBytes, TILE);
    }

    /**
     * Byte offset of element (row, col).
     *
     * @param group rows of a group, a divisor of 64
     */
    public static long offset(int row, int col, int cols, int elementBytes, int group) {
        long inRow = (long) col * elementBytes;
        long groupBytes = (long) words(cols, elementBytes) * group * WORD;
        return row / group * groupBytes + (inRow / WORD * group + row % group) * WORD + inRow % WORD;
    }

    /**
     * Copies some tiles of a row-major matrix.
     *
     * @param source       row-major elements, rows without gaps
     * @param sourceAt     byte offset of element (0, 0)
     * @param elementBytes 1, 2 or 4
     * @param group        rows of a group, a divisor of 64
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
            int group,
            CodeCheck check,
            MemorySegment target,
            int fromTile,
            int toTile) {
        long rowBytes = (long) cols * elementBytes;
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
                for (int row = 0; row < count; row += group) {
                    long to = offset(tile * TILE + row, 0, cols, elementBytes, group) + start * group;
                    int some = Math.min(group, count - row);
                    packPanel(source, from + row * rowBytes, rowBytes, some, width, target, to, group);
                }
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

    /** Transposes (rows, width / 4) words of a group. */
    private static void packPanel(
            MemorySegment source,
            long from,
            long rowBytes,
            int rows,
            int width,
            MemorySegment target,
            long to,
            int group) {
        int pairs = width / (2 * WORD);
        for (int pair = 0; pair < pairs; pair++) {
            long at = (long) pair * 2 * WORD;
            packPair(source, from + at, rowBytes, rows, target, to + at * group, group * WORD);
        }
        for (int at = pairs * 2 * WORD; at < width; at += WORD) {
            for (int row = 0; row < rows; row++) {
                int word = word(source, from + row * rowBytes + at, Math.min(WORD, width - at));
                target.set(INT, to + (long) at * group + (long) row * WORD, word);
            }
        }
    }

    /**
     * Two neighbouring words of all rows of a group, written in order. A method of its own, because short methods that are
     * called often are compiled long before a long loop is left.
     */
    private static void packPair(
            MemorySegment source, long from, long rowBytes, int rows, MemorySegment target, long to, int wordRow) {
        int even = rows & -2;
        for (int row = 0; row < even; row += 2) {
            long a = source.get(LONG, from + row * rowBytes);
            long b = source.get(LONG, from + (row + 1) * rowBytes);
            target.set(LONG, to + (long) row * WORD, (a & LOW) | b << 32);
            target.set(LONG, to + (long) row * WORD + wordRow, a >>> 32 | (b & ~LOW));
        }
        if (even < rows) {
            long a = source.get(LONG, from + even * rowBytes);
            target.set(INT, to + (long) even * WORD, (int) a);
            target.set(INT, to + (long) even * WORD + wordRow, (int) (a >>> 32));
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
     * @param group    rows of a group, a divisor of 64
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
            int group,
            MemorySegment target,
            int fromTile,
            int toTile) {
        int perWord = WORD / elementBytes;
        long rowBytes = (long) rows * elementBytes;
        int end = Math.min(rows, toTile * TILE);
        for (int row = fromTile * TILE; row < end; row += group) {
            int count = Math.min(group, end - row);
            for (int col = 0; col < cols; col += perWord) {
                int elements = Math.min(perWord, cols - col);
                long from = sourceAt + col * rowBytes + (long) row * elementBytes;
                long to = offset(row, col, cols, elementBytes, group);
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
