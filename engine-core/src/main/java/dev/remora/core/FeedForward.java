package dev.remora.core;

/** The feed-forward half of a block: a dense SwiGLU or a mixture of experts. */
public interface FeedForward {
    /**
     * Runs all rows.
     *
     * @param h     (n, hidden_size) normalised input
     * @param batch whose rows they are
     * @param out   (n, hidden_size)
     */
    void forward(Rows h, Batch batch, Rows out);
}
