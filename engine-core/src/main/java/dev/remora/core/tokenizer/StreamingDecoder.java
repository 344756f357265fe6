package dev.remora.core.tokenizer;

/**
 * Turns a stream of ids into text piece by piece. The pieces, put together, are what {@link Tokenizer#decode} gives for
 * all ids at once; none ends inside a character. For one stream and one thread at a time.
 */
public interface StreamingDecoder {

    /**
     * Takes the next id.
     *
     * @return the text that is now certain; empty while a character is incomplete
     * @throws IllegalArgumentException if the id is negative
     */
    String push(int id);

    /**
     * Ends the stream.
     *
     * @return what was held back; a character that never became complete is U+FFFD. The decoder is then as new.
     */
    String flush();
}
