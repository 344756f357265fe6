package dev.remora.core.tokenizer;

/** Puts a space before a piece that does not begin with one ({@code add_prefix_space} of ByteLevel). */
record PrefixSpace() implements PreTokenizer {
    @Override
    public void split(char[] text, int from, int to, boolean atStart, PieceConsumer pieces) {
        if (text[from] == ' ') {
            pieces.accept(text, from, to, atStart);
            return;
        }
        char[] prefixed = new char[to - from + 1];
        prefixed[0] = ' ';
        System.arraycopy(text, from, prefixed, 1, to - from);
        pieces.accept(prefixed, 0, prefixed.length, atStart);
    }
}
