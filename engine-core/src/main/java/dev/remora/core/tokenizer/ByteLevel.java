package dev.remora.core.tokenizer;

/**
 * The alphabet in which byte-level vocabularies are written: each byte is one visible character. Printable Latin-1 stands
 * for itself, the other 68 bytes are U+0100 and following in ascending order (so a space is written {@code Ġ}).
 */
final class ByteLevel {
    private static final char[] CHAR_OF = new char[256];
    private static final short[] BYTE_OF = new short[0x100 + 68];

    static {
        java.util.Arrays.fill(BYTE_OF, (short) -1);
        char next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            CHAR_OF[b] = printable ? (char) b : next++;
            BYTE_OF[CHAR_OF[b]] = (short) b;
        }
    }

    private ByteLevel() {}

    /** The character that stands for a byte, 0 to 255. */
    static char charOf(int unsignedByte) {
        return CHAR_OF[unsignedByte];
    }

    static String write(byte[] bytes) {
        char[] chars = new char[bytes.length];
        for (int i = 0; i < chars.length; i++) {
            chars[i] = CHAR_OF[bytes[i] & 0xFF];
        }
        return new String(chars);
    }

    /** The bytes that a token of this alphabet stands for; null if it has a character outside of the alphabet. */
    static byte[] read(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = token.charAt(i);
            if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
                return null;
            }
            bytes[i] = (byte) BYTE_OF[c];
        }
        return bytes;
    }
}
