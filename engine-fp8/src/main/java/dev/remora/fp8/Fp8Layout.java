package dev.remora.fp8;

import dev.remora.core.Weight;
import dev.remora.core.weight.TileLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * FP8 tiles: 64 rows in four groups of 16, each group [columns / 4][16 rows][4 columns]. Of each group one line of 64 bytes
 * is read at a time, so a multiplication reads four streams, each in order: CPUs fetch four streams further ahead than one
 * that is four times as fast.
 */
final class Fp8Layout {
    /** Rows of a group. */
    static final int GROUP = 16;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOW = 0x7f7f7f7f7f7f7f7fL;
    private static final long EVEN = 0x00ff_00ff_00ff_00ffL;

    /** Bytes whose codes a count of 8 bits can number. */
    private static final int CHUNK = 1024;

    private Fp8Layout() {}

    /** Bytes of a group. */
    static long groupBytes(int cols) {
        return TileLayout.tileBytes(cols, 1) * GROUP / Weight.TILE;
    }

    /** Byte offset of element (row, col). */
    static long offset(int row, int col, int cols) {
        return TileLayout.offset(row, col, cols, 1, GROUP);
    }

    /** Bytes from a group's start to a column's word. */
    static long wordOffset(int col) {
        return (long) (col / TileLayout.WORD) * GROUP * TileLayout.WORD;
    }

    /** Number of subnormal codes in columns [from, to) of a tile; the words at both ends are counted whole. */
    static int subnormals(MemorySegment tiles, int tile, int cols, int from, int to) {
        long start = wordOffset(from);
        int bytes = (int) (wordOffset(to + TileLayout.WORD - 1) - start);
        int count = 0;
        for (int row = 0; row < Weight.TILE; row += GROUP) {
            long at = offset(tile * Weight.TILE + row, 0, cols) + start;
            for (int done = 0; done < bytes; done += CHUNK) {
                long counts = countEach(tiles, at + done, Math.min(CHUNK, bytes - done));
                // Sums of two, then of all four of them in the upper 16 bits of the product.
                long pairs = (counts & EVEN) + ((counts >>> 8) & EVEN);
                count += (int) ((pairs * 0x0001_0001_0001_0001L) >>> 48);
            }
        }
        return count;
    }

    /** Eight counts of 8 bits. A method of its own, because short methods that are called often are compiled soon. */
    private static long countEach(MemorySegment codes, long from, int bytes) {
        long counts = 0;
        for (int at = 0; at < bytes; at += Long.BYTES) {
            long magnitudes = codes.get(LONG, from + at) & LOW;
            // The upper bit of each byte: its magnitude is not 0; it is at least 8. Of subnormal codes they differ.
            counts += (((magnitudes + LOW) ^ (magnitudes + 0x7878787878787878L)) >>> 7) & 0x0101010101010101L;
        }
        return counts;
    }
}
