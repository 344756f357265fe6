package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class E4m3Test {
    @Test
    void everyCodeIsWhatTheDefinitionSays() {
        for (int code = 0; code < 256; code++) {
            double sign = (code & 0x80) == 0 ? 1 : -1;
            int e = (code >> 3) & 15;
            double m = (code & 7) / 8.0;
            double expected = e == 0 ? sign * m * Math.pow(2, -6) : sign * (1 + m) * Math.pow(2, e - 7);
            if (e == 15 && m == 7 / 8.0) {
                expected = Double.NaN;
            }
            assertEquals(expected, E4m3.toFloat((byte) code), "code " + code);
        }
    }

    /** Moved into binary16, which has the same shape with a bias of 15 instead of 7, every code keeps its meaning. */
    @Test
    void everyNumberIsABinary16Times256() {
        for (int code = 0; code < 256; code++) {
            if ((code & 0x7f) == 0x7f) {
                continue;
            }
            short half = (short) (((code & 0x80) << 8) | ((code & 0x7f) << 7));
            float expected = Float.float16ToFloat(half) * 256;
            assertEquals(
                    Float.floatToRawIntBits(expected),
                    Float.floatToRawIntBits(E4m3.toFloat((byte) code)),
                    "code " + code);
        }
    }

    @Test
    void knownValues() {
        assertEquals(0f, E4m3.toFloat((byte) 0x00));
        assertEquals(-0f, E4m3.toFloat((byte) 0x80));
        assertEquals(0x1p-9f, E4m3.toFloat((byte) 0x01));
        assertEquals(0x1p-6f, E4m3.toFloat((byte) 0x08));
        assertEquals(1f, E4m3.toFloat((byte) 0x38));
        assertEquals(448f, E4m3.toFloat((byte) 0x7e));
        assertEquals(-448f, E4m3.toFloat((byte) 0xfe));
        assertTrue(Float.isNaN(E4m3.toFloat((byte) 0x7f)));
        assertTrue(Float.isNaN(E4m3.toFloat((byte) 0xff)));
    }

    @Test
    void theCheckFindsNaNAndNothingElse() {
        byte[] neighbours = {0x00, 0x7e, (byte) 0x80, (byte) 0xfe, 0x7f, (byte) 0xff};
        byte[] codes = new byte[11];
        for (int place = 0; place < codes.length; place++) {
            for (int code = 0; code < 256; code++) {
                for (byte neighbour : neighbours) {
                    Arrays.fill(codes, neighbour);
                    codes[place] = (byte) code;
                    long expected = (neighbour & 0x7f) == 0x7f ? 0 : (code & 0x7f) == 0x7f ? place / 8 * 8 : -1;
                    assertEquals(expected, E4m3.CHECK.find(MemorySegment.ofArray(codes), 0, codes.length));
                }
            }
        }
    }
}
