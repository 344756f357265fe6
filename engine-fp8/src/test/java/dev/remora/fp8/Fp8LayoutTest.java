package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Fp8LayoutTest {
    /** [tiles][4 groups][columns / 4][16 rows][4 columns]. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 7, 128, 130})
    void offsetsAreThoseOfFourStreams(int cols) {
        int words = (cols + 3) / 4;
        for (int row = 0; row < 192; row++) {
            for (int col = 0; col < cols; col++) {
                long expected = ((row / 16 * (long) words + col / 4) * 16 + row % 16) * 4L + col % 4;
                assertEquals(expected, Fp8Layout.offset(row, col, cols));
                long group = row / 16 * Fp8Layout.groupBytes(cols);
                assertEquals(expected, group + Fp8Layout.wordOffset(col) + row % 16 * 4L + col % 4);
            }
        }
    }

    @Test
    void everySubnormalCodeOfTheColumnsCounts() {
        int cols = 20;
        for (int code = 0; code < 256; code++) {
            boolean subnormal = (code & 0x78) == 0 && (code & 7) != 0;
            byte[] tiles = new byte[2 * 64 * cols];
            Arrays.fill(tiles, (byte) 0x30);
            for (int at = 0; at < 64; at++) {
                tiles[at] = 1; // the first tile is not asked for
            }
            int row = code % 64;
            int col = 4 + code % 12;
            tiles[(int) Fp8Layout.offset(64 + row, col, cols)] = (byte) code;
            tiles[(int) Fp8Layout.offset(64 + row, 3, cols)] = 1;
            tiles[(int) Fp8Layout.offset(64 + row, 16, cols)] = 1;
            int found = Fp8Layout.subnormals(MemorySegment.ofArray(tiles), 1, cols, 4, 16);
            assertEquals(subnormal ? 1 : 0, found, "code " + code);
        }
    }

    /** More than counts of eight bits hold, with words that belong to two runs counted in both. */
    @ParameterizedTest
    @CsvSource({"0, 128, 8192", "0, 1, 256", "3, 5, 512", "2, 127, 8192", "4, 72, 4352", "1, 132, 8448", "132, 133, 256"
    })
    void countsMany(int from, int to, int expected) {
        byte[] tile = new byte[64 * 136];
        Arrays.fill(tile, (byte) 0x87);
        assertEquals(expected, Fp8Layout.subnormals(MemorySegment.ofArray(tile), 0, 133, from, to));
        Arrays.fill(tile, (byte) 0x80);
        assertEquals(0, Fp8Layout.subnormals(MemorySegment.ofArray(tile), 0, 133, from, to));
        tile[(int) Fp8Layout.offset(0, from, 133)] = 1;
        tile[(int) Fp8Layout.offset(63, to - 1, 133)] = 7;
        assertEquals(2, Fp8Layout.subnormals(MemorySegment.ofArray(tile), 0, 133, from, to));
    }
}
