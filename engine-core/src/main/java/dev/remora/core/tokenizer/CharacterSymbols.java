package dev.remora.core.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A word as its characters, for vocabularies that are not byte-level. A character that is no token falls apart into bytes
 * ({@code <0xE2>}) if the file says so and has them all.
 */
final class CharacterSymbols implements BytePairEncoder.Symbols {
    private final Vocabulary vocabulary;
    private final UnknownSymbol unknown;
    private final String prefix;
    private final String suffix;
    private final int[] idOfByte;

    /**
     * Of one file.
     *
     * @param prefix written before each character but the first of a word ({@code continuing_subword_prefix}), or ""
     * @param suffix written behind the last character of a word ({@code end_of_word_suffix}), or ""
     */
    CharacterSymbols(Vocabulary vocabulary, UnknownSymbol unknown, String prefix, String suffix, boolean byteFallback) {
        this.vocabulary = vocabulary;
        this.unknown = unknown;
        this.prefix = prefix;
        this.suffix = suffix;
        idOfByte = new int[byteFallback ? 256 : 0];
        Arrays.setAll(idOfByte, b -> vocabulary.id(byteToken(b)));
    }

    private static String byteToken(int b) {
        return "<0x" + HexFormat.of().withUpperCase().toHexDigits((byte) b) + ">";
    }

    /** The byte that a token such as {@code <0xE2>} stands for, or -1. */
    static int byteOf(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    @Override
    public void add(char[] text, int from, int to, Merger word) {
        UnknownSymbol.Run run = unknown.newRun(word);
        for (int i = from; i < to; ) {
            int width = Character.charCount(Character.codePointAt(text, i, to));
            String character = new String(text, i, width);
            String symbol = (i > from ? prefix : "") + character + (i + width == to ? suffix : "");
            int id = vocabulary.id(symbol);
            if (id >= 0) {
                run.known(id);
            } else if (!addBytes(symbol.getBytes(StandardCharsets.UTF_8), run)) {
                run.unknown();
            }
            i += width;
        }
        run.finish();
    }

    private boolean addBytes(byte[] bytes, UnknownSymbol.Run run) {
        if (idOfByte.length == 0) {
            return false;
        }
        for (byte b : bytes) {
            if (idOfByte[b & 0xFF] < 0) {
                return false;
            }
        }
        for (byte b : bytes) {
            run.known(idOfByte[b & 0xFF]);
        }
        return true;
    }

    @Override
    public String write(char[] text, int from, int to) {
        return new String(text, from, to - from);
    }
}
