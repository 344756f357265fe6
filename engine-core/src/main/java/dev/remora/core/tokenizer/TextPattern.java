package dev.remora.core.tokenizer;

/** A regular expression, applied to a part of a text as if nothing stood around it. Immutable. */
interface TextPattern {

    /** Called for each match in order; matches may be empty and never overlap. */
    @FunctionalInterface
    interface MatchConsumer {
        void accept(int start, int end);
    }

    void forEachMatch(char[] text, int from, int to, MatchConsumer consumer);
}
