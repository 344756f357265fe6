package dev.remora.core.weight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DenseFormatTest {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The definition of the formats. */
    static float value(DenseFormat format, int code) {
        int exponentBits = format == DenseFormat.BF16 ? 8 : 5;
        int mantissaBits = 15 - exponentBits;
        int bias = (1 << (exponentBits - 1)) - 1;
        int exponent = code >> mantissaBits & ((1 << exponentBits) - 1);
        int mantissa = code & ((1 << mantissaBits) - 1);
        double fraction = mantissa / (double) (1 << mantissaBits);
        double magnitude;
        if (exponent == (1 << exponentBits) - 1) {
            magnitude = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = Math.scalb(fraction, 1 - bias);
        } else {
            magnitude = Math.scalb(1 + fraction, exponent - bias);
        }
        return (float) ((code & 0x8000) == 0 ? magnitude : -magnitude);
    }

    @ParameterizedTest
    @EnumSource(
            value = DenseFormat.class,
            names = {"BF16", "F16"})
    void decodesEveryCode(DenseFormat format) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(4);
            for (int code = 0; code < 1 << 16; code++) {
                data.set(SHORT, 1, (short) code);
                assertEquals(value(format, code), format.decode(data, 1), Integer.toHexString(code));
            }
        }
    }

    @Test
    void f16AcceptsFiniteCodesOnlyWhereverTheyStand() {
        try (Arena arena = Arena.ofConfined()) {
            for (int code = 0; code < 1 << 16; code++) {
                MemorySegment data = arena.allocate(14);
                data.fill((byte) 0x3c);
                data.set(SHORT, code % 7 * 2L, (short) code);
                boolean finite = Float.isFinite(value(DenseFormat.F16, code));
                assertEquals(
                        finite ? -1 : code % 7 / 4 * 8, DenseFormat.F16.check().find(data, 0, 14));
                assertEquals(-1, DenseFormat.BF16.check().find(data, 0, 14));
            }
        }
    }

    @Test
    void packingRefusesWhatIsNoNumberAndNamesItsPlace() {
        for (int col : new int[] {0, 6, 40}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment data = arena.allocate(2L * 70 * 41);
                data.set(SHORT, 2L * (66 * 41 + col), (short) 0xfc00);
                DenseMatrix matrix = new DenseMatrix("model.norm.weight", DenseFormat.F16, data, 70, 41);
                CheckpointException e = assertThrows(CheckpointException.class, () -> matrix.pack(arena));
                assertTrue(e.getMessage().startsWith("model.norm.weight"), e.getMessage());
                assertTrue(e.getMessage().contains("row 66, column " + col + ";"), e.getMessage());
            }
        }
    }

    @Test
    void packingTheTransposeRefusesItToo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(2L * 5 * 7);
            data.set(SHORT, 2L * 11, (short) 0x7e00);
            DenseMatrix matrix = new DenseMatrix("w", DenseFormat.F16, data, 5, 7).transposed();
            assertThrows(CheckpointException.class, () -> matrix.pack(arena));
        }
    }
}
