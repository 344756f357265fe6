package dev.remora.core.tokenizer;

/**
 * Writes spaces as a visible character, as sentencepiece does, and cuts before each.
 *
 * @param replacement usually U+2581
 * @param prepend when a text that does not begin with a space gets one
 * @param cut whether to cut at all
 */
record Metaspace(char replacement, Prepend prepend, boolean cut) implements PreTokenizer {
    enum Prepend {
        ALWAYS,
        FIRST,
        NEVER
    }

    @Override
    public void split(char[] text, int from, int to, boolean atStart, PieceConsumer pieces) {
        StringBuilder written = new StringBuilder(to - from + 1);
        for (int i = from; i < to; i++) {
            written.append(text[i] == ' ' ? replacement : text[i]);
        }
        boolean wanted = prepend == Prepend.ALWAYS || (prepend == Prepend.FIRST && atStart);
        if (wanted && written.charAt(0) != replacement) {
            written.insert(0, replacement);
        }
        char[] chars = written.toString().toCharArray();
        int start = 0;
        for (int i = 1; cut && i < chars.length; i++) {
            if (chars[i] == replacement) {
                pieces.accept(chars, start, i, atStart && start == 0);
                start = i;
            }
        }
        pieces.accept(chars, start, chars.length, atStart && start == 0);
    }
}
