package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.core.weight.TileLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Fp8LayoutTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 7, 128, 130})
    void regroupingMovesEveryElementToItsOffset(int cols) {
        int tileBytes = (int) TileLayout.tileBytes(cols, 1);
        byte[] before = new byte[3 * tileBytes];
        new Random(cols).nextBytes(before);
        MemorySegment tiles = MemorySegment.ofArray(before.clone());
        MemorySegment copy = MemorySegment.ofArray(new byte[tileBytes]);
        for (int tile = 0; tile < 3; tile++) {
            Fp8Layout.regroup(tiles, tile, cols, copy);
        }
        for (int row = 0; row < 192; row++) {
            for (int col = 0; col < cols; col++) {
                byte expected = before[(int) TileLayout.offset(row, col, cols, 1)];
                assertEquals(expected, tiles.get(ValueLayout.JAVA_BYTE, Fp8Layout.offset(row, col, cols)));
            }
        }
    }

    @Test
    void countsEverySubnormalCode() {
        for (int code = 0; code < 256; code++) {
            boolean subnormal = (code & 0x78) == 0 && (code & 7) != 0;
            for (int at = 0; at < 8; at++) {
                byte[] codes = new byte[16];
                codes[at + 4] = (byte) code;
                codes[(at + 3) % 8 + 4] = 0x30;
                int expected = subnormal ? 1 : 0;
                assertEquals(expected, Fp8Layout.subnormals(MemorySegment.ofArray(codes), 4, 8), "code " + code);
            }
        }
    }
}
