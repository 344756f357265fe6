package dev.remora.core.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A word as the bytes of its UTF-8, for vocabularies written in the alphabet of {@link ByteLevel}. */
final class ByteSymbols implements BytePairEncoder.Symbols {
    private final int[] idOfByte = new int[256];
    private final UnknownSymbol unknown;

    ByteSymbols(Vocabulary vocabulary, UnknownSymbol unknown) {
        this.unknown = unknown;
        Arrays.setAll(idOfByte, b -> vocabulary.id(String.valueOf(ByteLevel.charOf(b))));
    }

    @Override
    public void add(char[] text, int from, int to, Merger word) {
        UnknownSymbol.Run run = unknown.newRun(word);
        for (int i = from; i < to; ) {
            int c = text[i];
            if (c < 0x80) {
                i++;
                add(c, run);
                continue;
            }
            c = Character.codePointAt(text, i, to);
            i += Character.charCount(c);
            if (c < 0x800) {
                add(0xC0 | c >> 6, run);
            } else {
                if (c < 0x10000) {
                    add(0xE0 | c >> 12, run);
                } else {
                    add(0xF0 | c >> 18, run);
                    add(0x80 | (c >> 12 & 0x3F), run);
                }
                add(0x80 | (c >> 6 & 0x3F), run);
            }
            add(0x80 | (c & 0x3F), run);
        }
        run.finish();
    }

    private void add(int b, UnknownSymbol.Run run) {
        int id = idOfByte[b];
        if (id >= 0) {
            run.known(id);
        } else {
            run.unknown();
        }
    }

    @Override
    public String write(char[] text, int from, int to) {
        return ByteLevel.write(new String(text, from, to - from).getBytes(StandardCharsets.UTF_8));
    }
}
