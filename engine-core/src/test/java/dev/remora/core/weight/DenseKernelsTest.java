package dev.remora.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.core.Allocation;
import dev.remora.core.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("widths")
class DenseKernelsTest {
    private static final int TILE = 64;
    private static final int AT = 3;
    private static final int[] COLS = {1, 2, 3, 7, 63, 64, 65, 127, 128, 129, 160, 311, 576, 1408};
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @ParameterizedTest
    @EnumSource(DenseFormat.class)
    void vectorEqualsReference(DenseFormat format) {
        for (int cols : COLS) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment tiles = twoTiles(format, cols, arena);
                long at = TileLayout.tileBytes(cols, format.elementBytes());
                for (float[] x : new float[][] {TestData.floats(1, cols + AT), TestData.specials(2, cols + AT)}) {
                    float[] expected = new float[TILE + AT];
                    referenceRow(format, tiles, at, cols, x, expected);
                    float[] actual = new float[TILE + AT];
                    format.multiplyRow(tiles, at, cols, x, AT, actual, AT);
                    assertArrayEquals(expected, actual, cols + " columns");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DenseFormat.class)
    void panelsEqualTheReferenceAndTheElements(DenseFormat format) {
        for (int cols : COLS) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment tiles = twoTiles(format, cols, arena);
                long at = TileLayout.tileBytes(cols, format.elementBytes());
                for (int from = 0; from < cols; from += 128) {
                    int count = Math.min(128, cols - from);
                    MemorySegment panel = arena.allocate(128 * TILE * 4L, 64);
                    format.decodePanel(tiles, at, from, count, panel);
                    float[] actual = Arrays.copyOf(panel.toArray(ValueLayout.JAVA_FLOAT), count * TILE);
                    assertArrayEquals(referencePanel(format, tiles, at, from, count, arena), actual, "from " + from);
                    for (int i = 0; i < count; i++) {
                        for (int lane = 0; lane < TILE; lane++) {
                            long offset = TileLayout.offset(TILE + lane, from + i, cols, format.elementBytes());
                            assertEquals(format.decode(tiles, offset), actual[i * TILE + lane]);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DenseFormat.class,
            names = {"BF16", "F16"})
    void panelsDecodeEveryCode(DenseFormat format) {
        int cols = 1024;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tiles = arena.allocate(TileLayout.bytes(TILE, cols, 2), 64);
            for (int code = 0; code < 1 << 16; code++) {
                tiles.set(SHORT, TileLayout.offset(code % TILE, code / TILE, cols, 2), (short) code);
            }
            MemorySegment segment = arena.allocate(128 * TILE * 4L, 64);
            for (int from = 0; from < cols; from += 128) {
                format.decodePanel(tiles, 0, from, 128, segment);
                float[] panel = segment.toArray(ValueLayout.JAVA_FLOAT);
                for (int i = 0; i < panel.length; i++) {
                    int code = from * TILE + i;
                    boolean refused = format == DenseFormat.F16 && (code & 0x7c00) == 0x7c00;
                    if (!refused) {
                        assertEquals(DenseFormatTest.value(format, code), panel[i], Integer.toHexString(code));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DenseFormat.class,
            names = {"BF16", "F16"})
    void rowsDecodeEveryCode(DenseFormat format) {
        // Two columns, one after the other switched off by a zero, so each product shows one code.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tile = arena.allocate(TileLayout.bytes(TILE, 2, 2), 64);
            float[] y = new float[TILE];
            for (int first = 0; first < 1 << 16; first += TILE) {
                for (int column = 0; column < 2; column++) {
                    for (int lane = 0; lane < TILE; lane++) {
                        tile.set(SHORT, TileLayout.offset(lane, column, 2, 2), (short) (first + lane));
                        tile.set(SHORT, TileLayout.offset(lane, 1 - column, 2, 2), (short) 0x3c00);
                    }
                    format.multiplyRow(tile, 0, 2, new float[] {1 - column, column}, 0, y, 0);
                    for (int lane = 0; lane < TILE; lane++) {
                        int code = first + lane;
                        boolean refused = format == DenseFormat.F16 && (code & 0x7c00) == 0x7c00;
                        if (!refused) {
                            // 0 + -0 is 0.
                            assertEquals(DenseFormatTest.value(format, code) + 0f, y[lane] + 0f);
                        }
                    }
                }
            }
        }
    }

    @Test
    void anOddLastColumnIgnoresTheOtherHalfOfItsWord() {
        int cols = 3;
        for (DenseFormat format : new DenseFormat[] {DenseFormat.BF16, DenseFormat.F16}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment tile = twoTiles(format, cols, arena).asSlice(0, TileLayout.tileBytes(cols, 2));
                float[] x = TestData.floats(3, cols);
                float[] expected = new float[TILE];
                format.multiplyRow(tile, 0, cols, x, 0, expected, 0);
                for (int lane = 0; lane < TILE; lane++) {
                    tile.set(SHORT, TileLayout.offset(lane, 3, cols + 1, 2), (short) 0x7fff);
                }
                float[] actual = new float[TILE];
                format.multiplyRow(tile, 0, cols, x, 0, actual, 0);
                assertArrayEquals(expected, actual, format.name());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DenseFormat.class)
    void allocateNothing(DenseFormat format) {
        int cols = 129;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment tiles = twoTiles(format, cols, arena);
            float[] x = TestData.floats(4, cols);
            float[] y = new float[TILE];
            MemorySegment panel = arena.allocate(128 * TILE * 4L, 64);
            Allocation.assertNone("row", () -> format.multiplyRow(tiles, 0, cols, x, 0, y, 0));
            Allocation.assertNone("panel", () -> format.decodePanel(tiles, 0, 0, 127, panel));
        }
    }

    private static MemorySegment twoTiles(DenseFormat format, int cols, Arena arena) {
        MemorySegment tiles = arena.allocate(TileLayout.bytes(2 * TILE, cols, format.elementBytes()), 64);
        float[] values = TestData.floats(cols, 2 * TILE * cols);
        for (int row = 0; row < 2 * TILE; row++) {
            for (int col = 0; col < cols; col++) {
                long at = TileLayout.offset(row, col, cols, format.elementBytes());
                float value = values[row * cols + col];
                switch (format) {
                    case F32 -> tiles.set(INT, at, Float.floatToRawIntBits(value));
                    case BF16 -> tiles.set(SHORT, at, (short) (Float.floatToRawIntBits(value) >>> 16));
                    // Small enough that some are subnormal.
                    case F16 -> tiles.set(SHORT, at, Float.floatToFloat16(value * 0x1p-13f));
                }
            }
        }
        return tiles;
    }

    private static void referenceRow(DenseFormat format, MemorySegment tiles, long at, int cols, float[] x, float[] y) {
        switch (format) {
            case F32 -> DenseReference.f32Row(tiles, at, cols, x, AT, y, AT);
            case BF16 -> DenseReference.bf16Row(tiles, at, cols, x, AT, y, AT);
            case F16 -> DenseReference.f16Row(tiles, at, cols, x, AT, y, AT);
        }
    }

    private static float[] referencePanel(
            DenseFormat format, MemorySegment tiles, long at, int from, int count, Arena arena) {
        MemorySegment panel = arena.allocate(128 * TILE * 4L, 64);
        switch (format) {
            case F32 -> panel.copyFrom(tiles.asSlice(at + 4L * TILE * from, 4L * TILE * count));
            case BF16 -> DenseReference.bf16Panel(tiles, at, from, count, panel);
            case F16 -> DenseReference.f16Panel(tiles, at, from, count, panel);
        }
        return Arrays.copyOf(panel.toArray(ValueLayout.JAVA_FLOAT), count * TILE);
    }
}
