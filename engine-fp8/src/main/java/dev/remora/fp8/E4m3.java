package dev.remora.fp8;

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
}
