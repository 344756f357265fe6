package dev.remora.core.tokenizer;

/** How tokens become text, as a file prescribes it. Immutable; {@link #open} gives the state of one stream. */
interface TokenDecoder {

    /** One stream of tokens. What it has appended is final. */
    interface Stream {
        void push(String token, StringBuilder out);

        /** Appends what was held back and begins anew. */
        void finish(StringBuilder out);
    }

    Stream open();

    /** The bytes of one token, regardless of its neighbours. */
    byte[] bytes(String token);
}
