package dev.remora.core.tokenizer;

import java.util.OptionalInt;

/**
 * Turns text into token ids and back. Immutable: any number of threads may share one.
 *
 * <p>A lone surrogate in a text, which no UTF-8 can hold, is read as U+FFFD.
 */
public interface Tokenizer {

    /**
     * The ids of a text. Control and other added tokens that stand in the text are recognised; none are added, so a
     * beginning-of-sequence token appears only if the text spells it.
     */
    int[] encode(String text);

    /**
     * The ids of a text that is only text: what looks like an added token is encoded as ordinary characters. For text
     * from people who must not be able to write control tokens.
     */
    int[] encodeOrdinary(String text);

    /**
     * The text of some ids, added tokens included. Bytes that are not UTF-8 become U+FFFD, one for each maximal invalid
     * part; an id without a token gives nothing.
     *
     * @throws IllegalArgumentException if an id is negative
     */
    default String decode(int[] ids) {
        return decode(ids, 0, ids.length);
    }

    /** As {@link #decode(int[])}, of {@code ids[from]} to {@code ids[to - 1]}. */
    String decode(int[] ids, int from, int to);

    /** As {@link #newDecoder(boolean)}, with special tokens shown. */
    default StreamingDecoder newDecoder() {
        return newDecoder(false);
    }

    /**
     * A decoder for one stream of ids.
     *
     * @param skipSpecial leave out tokens that are {@link #isSpecial special}
     */
    StreamingDecoder newDecoder(boolean skipSpecial);

    /** The bytes that a token stands for, possibly a part of a character; empty for an id without a token. */
    byte[] bytes(int id);

    /** One more than the largest id. A model may have more rows of logits than this; their ids stand for no text. */
    int vocabSize();

    /** The id of a token, written as the vocabulary of its file writes it ({@code Ġthe}, {@code <｜User｜>}). */
    OptionalInt idOf(String token);

    /**
     * The token as the vocabulary of its file writes it.
     *
     * @throws IllegalArgumentException if no token has this id
     */
    String token(int id);

    /** True for the control tokens that the file marks as special; false for an id without a token. */
    boolean isSpecial(int id);

    /** The tokens that begin, end and pad a sequence, as far as the files name them. */
    SpecialTokens specialTokens();
}
