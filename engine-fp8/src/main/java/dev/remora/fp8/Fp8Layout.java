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

    private Fp8Layout() {}

    /** Bytes of a group. */
    static long groupBytes(int cols) {
        return TileLayout.tileBytes(cols, 1) * GROUP / Weight.TILE;
    }

    /** Byte offset of element (row, col). */
    static long offset(int row, int col, int cols) {
        return row / GROUP * groupBytes(cols)
                + ((long) (col / TileLayout.WORD) * GROUP + row % GROUP) * TileLayout.WORD
                + col % TileLayout.WORD;
    }

    /** Bytes from a group's start to a column's word. */
    static long wordOffset(int col) {
        return (long) (col / TileLayout.WORD) * GROUP * TileLayout.WORD;
    }

    /** Puts a tile that was packed as [columns / 4][64 rows][4 columns] in groups. */
    static void regroup(MemorySegment tiles, int tile, int cols, MemorySegment copy) {
        long tileBytes = TileLayout.tileBytes(cols, 1);
        long groupBytes = groupBytes(cols);
        MemorySegment.copy(tiles, tile * tileBytes, copy, 0, tileBytes);
        int words = TileLayout.words(cols, 1);
        for (int word = 0; word < words; word++) {
            regroupWords(copy, word, tiles, tile * tileBytes, groupBytes);
        }
    }

    private static void regroupWords(MemorySegment from, int word, MemorySegment to, long tileAt, long groupBytes) {
        int line = GROUP * TileLayout.WORD;
        for (int group = 0; group < Weight.TILE / GROUP; group++) {
            long at = ((long) word * (Weight.TILE / GROUP) + group) * line;
            long target = tileAt + group * groupBytes + (long) word * line;
            for (int i = 0; i < line; i += Long.BYTES) {
                to.set(LONG, target + i, from.get(LONG, at + i));
            }
        }
    }

    /** Number of subnormal codes among some bytes, a multiple of 8. */
    static int subnormals(MemorySegment codes, long from, long bytes) {
        int count = 0;
        for (long at = 0; at < bytes; at += Long.BYTES) {
            long magnitudes = codes.get(LONG, from + at) & LOW;
            // The upper bit of each byte: its magnitude is not 0; it is at least 8.
            long nonzero = magnitudes + LOW;
            long normal = magnitudes + 0x7878787878787878L;
            count += Long.bitCount(nonzero & ~normal & ~LOW);
        }
        return count;
    }
}
