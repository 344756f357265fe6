package dev.remora.core.tokenizer;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A set of code points, defined by a regular expression that matches exactly one. Membership is asked of
 * java.util.regex once for each block of 256 code points that a text touches and remembered as bits.
 */
final class CharClass {
    private static final int BLOCK_BITS = 8;

    private final Pattern pattern;
    private final Block[] blocks = new Block[(Character.MAX_CODE_POINT >> BLOCK_BITS) + 1];
    private final long low;
    private final long high;

    CharClass(Pattern pattern) {
        this.pattern = pattern;
        Block first = new Block(pattern, 0);
        blocks[0] = first;
        low = first.bits[0];
        high = first.bits[1];
    }

    boolean contains(int codePoint) {
        if (codePoint < 128) {
            return ((codePoint < 64 ? low : high) >>> codePoint & 1) != 0;
        }
        int index = codePoint >> BLOCK_BITS;
        Block block = blocks[index];
        if (block == null) {
            // Threads that race here compute equal blocks; the final field makes a block safe to pass without a lock.
            block = new Block(pattern, index << BLOCK_BITS);
            blocks[index] = block;
        }
        int bit = codePoint & ((1 << BLOCK_BITS) - 1);
        return (block.bits[bit >> 6] >>> bit & 1) != 0;
    }

    private static final class Block {
        final long[] bits = new long[(1 << BLOCK_BITS) / 64];

        Block(Pattern pattern, int firstCodePoint) {
            char[] chars = new char[2];
            Matcher matcher = pattern.matcher("");
            for (int i = 0; i < 1 << BLOCK_BITS; i++) {
                int length = Character.toChars(firstCodePoint + i, chars, 0);
                if (matcher.reset(new String(chars, 0, length)).matches()) {
                    bits[i >> 6] |= 1L << i;
                }
            }
        }
    }
}
