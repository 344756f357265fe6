package dev.remora.core.tokenizer;

/**
 * Builds characters from bytes that arrive one by one. Each maximal invalid part becomes one U+FFFD (Unicode 16, section
 * 3.9, "U+FFFD substitution of maximal subparts"), unlike {@code new String}, which gives one for an encoded surrogate.
 */
final class Utf8Assembler {
    private static final char REPLACEMENT = '\uFFFD';

    private int needed;
    private int codePoint;
    private int lower;
    private int upper;

    void push(byte signed, StringBuilder out) {
        int b = signed & 0xFF;
        if (needed > 0) {
            if (b >= lower && b <= upper) {
                codePoint = codePoint << 6 | (b & 0x3F);
                lower = 0x80;
                upper = 0xBF;
                if (--needed == 0) {
                    out.appendCodePoint(codePoint);
                }
                return;
            }
            flush(out);
        }
        if (b < 0x80) {
            out.append((char) b);
        } else if (b >= 0xC2 && b <= 0xDF) {
            start(1, b & 0x1F, 0x80, 0xBF);
        } else if (b >= 0xE0 && b <= 0xEF) {
            // E0 80 to E0 9F would be overlong, ED A0 to ED BF a surrogate.
            start(2, b & 0x0F, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
        } else if (b >= 0xF0 && b <= 0xF4) {
            // F0 80 to F0 8F would be overlong, F4 90 and above beyond U+10FFFF.
            start(3, b & 0x07, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
        } else {
            out.append(REPLACEMENT);
        }
    }

    /** Ends an incomplete character. */
    void flush(StringBuilder out) {
        if (needed > 0) {
            needed = 0;
            out.append(REPLACEMENT);
        }
    }

    private void start(int following, int bits, int low, int high) {
        needed = following;
        codePoint = bits;
        lower = low;
        upper = high;
    }
}
