package dev.remora.core.tokenizer;

/** Cuts a text into words, none of which is merged across. Immutable. */
interface PreTokenizer {

    /** Takes {@code text[from]} to {@code text[to - 1]}, never empty. */
    @FunctionalInterface
    interface PieceConsumer {
        /** Takes one piece; {@code atStart} tells whether it begins the whole text. */
        void accept(char[] text, int from, int to, boolean atStart);
    }

    void split(char[] text, int from, int to, boolean atStart, PieceConsumer pieces);
}
