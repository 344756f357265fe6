package dev.remora.fp8;

import dev.remora.core.kernel.VectorSupport;
import dev.remora.core.weight.CodeCheck;

/**
 * The FP8 code E4M3FN (arXiv:2209.05433): 254 numbers and two NaN, no infinity.
 *
 * <pre>
 *   7   6     3 2     0
 *   +---+-------+-------+   e &gt; 0: (1 + m/8) * 2^(e - 7)
 *   | s |   e   |   m   |   e = 0:      m/8  * 2^-6
 *   +---+-------+-------+   e = 15, m = 7: NaN, so the largest number is 448
 * </pre>
 */
public final class E4m3 {
    /** The largest number. */
    public static final float MAX = 448;

    // Of f32: masks, the bits of infinity, 448 and 2^-6, and what added to the bits of a power of two makes it 2^20
    // larger.
    static final int MAGNITUDE = 0x7fffffff;
    static final int SIGN = 0x80000000;
    static final int EXPONENT = 0x7f800000;
    static final int INFINITY = 0x7f800000;
    static final int LARGEST = 0x43e00000;
    static final int SMALLEST_EXPONENT = 121 << 23;
    static final int TWENTY = 20 << 23;
    /** Finds NaN: 0x7F and 0xFF. */
    static final CodeCheck CHECK = new CodeCheck(0x7f7f7f7f_7f7f7f7fL, 0x01010101_01010101L);

    private static final float[] VALUES = new float[256];

    static {
        for (int code = 0; code < 256; code++) {
            int e = (code >> 3) & 15;
            int m = code & 7;
            float magnitude = e == 0 ? m * 0x1p-9f : (8 + m) * Math.scalb(1f, e - 10);
            VALUES[code] = (code & 0x7f) == 0x7f ? Float.NaN : (code & 0x80) == 0 ? magnitude : -magnitude;
        }
    }

    private E4m3() {}

    /** The number of a code, exactly; NaN for 0x7F and 0xFF. */
    public static float toFloat(byte code) {
        return VALUES[code & 0xff];
    }

    /**
     * The code of the number nearest to this one; of two equally near, the one with an even mantissa. What exceeds 448,
     * infinity too, becomes 448; NaN becomes 0x7F or 0xFF. Zero and what rounds to it keep their sign.
     */
    public static byte toCode(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 24) & 0x80;
        int magnitude = bits & MAGNITUDE;
        if (magnitude > INFINITY) {
            return (byte) (sign | 0x7f);
        }
        return (byte) (sign | magnitudeCode(Math.min(magnitude, LARGEST)));
    }

    /**
     * The magnitude of a code, from the bits of an f32 from 0 to 448. 2^(e + 20), added to a number of exponent e, leaves it
     * three bits of mantissa, rounded as IEEE 754 rounds sums. Below 2^-6 the steps no longer shrink, nor does e.
     */
    static int magnitudeCode(int bits) {
        int exponent = Math.max(bits & EXPONENT, SMALLEST_EXPONENT);
        int power = exponent + TWENTY;
        int mantissa = Float.floatToRawIntBits(Float.intBitsToFloat(bits) + Float.intBitsToFloat(power)) - power;
        return mantissa + ((exponent - SMALLEST_EXPONENT) >> 20);
    }

    /**
     * The bits of the largest magnitude of some numbers, 0 for none: from {@link #INFINITY} on if one is infinite or NaN.
     * {@code Float.intBitsToFloat} makes it a number.
     */
    static int largestBits(float[] x, int at, int count) {
        return VectorSupport.active() ? E4m3Kernels.largestBits(x, at, count) : E4m3Reference.largestBits(x, at, count);
    }

    /**
     * The codes of x[at, at + count), each divided by the scale.
     *
     * @param x     finite
     * @param scale at least {@link Float#MIN_NORMAL}
     */
    static void encode(float[] x, int at, int count, float scale, byte[] codes, int codesAt) {
        if (VectorSupport.active()) {
            E4m3Kernels.encode(x, at, count, scale, codes, codesAt);
        } else {
            E4m3Reference.encode(x, at, count, scale, codes, codesAt);
        }
    }

    /**
     * What encoding and decoding leave of x[at, at + count): for each number the nearest one of E4M3 to its quotient by the
     * scale, times the scale.
     *
     * @param scale at least {@link Float#MIN_NORMAL}; where a number is infinite or NaN, so is the scale
     * @param y     may be x, at the same place
     */
    static void round(float[] x, int at, int count, float scale, float[] y, int yAt) {
        if (VectorSupport.active()) {
            E4m3Kernels.round(x, at, count, scale, y, yAt);
        } else {
            E4m3Reference.round(x, at, count, scale, y, yAt);
        }
    }
}
