package dev.remora.fp8;

/** What {@link E4m3Kernels} computes, in plain Java: the same bits. */
final class E4m3Reference {
    private E4m3Reference() {}

    static int largestBits(float[] x, int at, int count) {
        int largest = 0;
        for (int i = at; i < at + count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(x[i]) & E4m3.MAGNITUDE);
        }
        return largest;
    }

    static void encode(float[] x, int at, int count, float scale, byte[] codes, int codesAt) {
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits(x[at + i] / scale);
            int magnitude = E4m3.magnitudeCode(Math.min(bits & E4m3.MAGNITUDE, E4m3.LARGEST));
            codes[codesAt + i] = (byte) (((bits >>> 24) & 0x80) | magnitude);
        }
    }

    /** Adding 2^(e + 20) to a number of exponent e rounds it to three bits of mantissa; taking it away again leaves them. */
    static void round(float[] x, int at, int count, float scale, float[] y, int yAt) {
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits(x[at + i] / scale);
            int magnitude = Math.min(bits & E4m3.MAGNITUDE, E4m3.LARGEST);
            int exponent = Math.max(magnitude & E4m3.EXPONENT, E4m3.SMALLEST_EXPONENT);
            float power = Float.intBitsToFloat(exponent + E4m3.TWENTY);
            float rounded = Float.intBitsToFloat(magnitude) + power - power;
            y[yAt + i] = Float.intBitsToFloat(Float.floatToRawIntBits(rounded) | (bits & E4m3.SIGN)) * scale;
        }
    }
}
