package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
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
    void everyNumberHasItsOwnCode() {
        for (int code = 0; code < 256; code++) {
            // Decoded, both codes of NaN are the same.
            int expected = code == 0xff ? 0x7f : code;
            assertEquals((byte) expected, E4m3.toCode(E4m3.toFloat((byte) code)), "code " + code);
        }
    }

    /** At each midpoint the even code is nearest by rule, and one step of f32 to either side decides otherwise. */
    @Test
    void betweenTwoNumbersTheNearestCodeOrTheEvenOne() {
        for (int code = 0; code < 0x7e; code++) {
            float middle = (E4m3.toFloat((byte) code) + E4m3.toFloat((byte) (code + 1))) / 2;
            for (int sign : new int[] {1, -1}) {
                int bit = sign < 0 ? 0x80 : 0;
                int even = (code & 1) == 0 ? code : code + 1;
                assertEquals((byte) (bit | even), E4m3.toCode(sign * middle), "after " + code);
                assertEquals((byte) (bit | code), E4m3.toCode(sign * Math.nextDown(middle)), "after " + code);
                assertEquals((byte) (bit | (code + 1)), E4m3.toCode(sign * Math.nextUp(middle)), "after " + code);
            }
        }
    }

    /** Compared with a search over all numbers; every exponent of f32 occurs. */
    @Test
    void everyFloatBecomesTheNearestCode() {
        Random random = new Random(17);
        for (int i = 0; i < 200_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (i % 2 == 0) {
                value = (float) Math.scalb(random.nextGaussian(), random.nextInt(24) - 13);
            }
            assertEquals(nearest(value), E4m3.toCode(value), "of " + value);
        }
    }

    @Test
    void whatHasNoCodeBecomesTheLargestNumberOrNaN() {
        assertEquals(0x7e, E4m3.toCode(Math.nextUp(448f)));
        assertEquals(0x7e, E4m3.toCode(464f));
        assertEquals(0x7e, E4m3.toCode(Float.MAX_VALUE));
        assertEquals(0x7e, E4m3.toCode(Float.POSITIVE_INFINITY));
        assertEquals((byte) 0xfe, E4m3.toCode(Float.NEGATIVE_INFINITY));
        assertEquals(0x7f, E4m3.toCode(Float.NaN));
        assertEquals((byte) 0xff, E4m3.toCode(Float.intBitsToFloat(0xff800001)));
        assertEquals(0x00, E4m3.toCode(0f));
        assertEquals((byte) 0x80, E4m3.toCode(-0f));
        assertEquals(0x00, E4m3.toCode(Float.MIN_VALUE));
        assertEquals((byte) 0x80, E4m3.toCode(-Float.MIN_VALUE));
    }

    private static byte nearest(float value) {
        int sign = Float.floatToRawIntBits(value) < 0 ? 0x80 : 0;
        if (Float.isNaN(value)) {
            return (byte) (sign | 0x7f);
        }
        int best = 0;
        double distance = Double.POSITIVE_INFINITY;
        for (int code = 0; code < 0x7f; code++) {
            double d = Math.abs(Math.min(Math.abs((double) value), 1e9) - E4m3.toFloat((byte) code));
            if (d < distance || (d == distance && (code & 1) == 0)) {
                best = code;
                distance = d;
            }
        }
        return (byte) (sign | best);
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
