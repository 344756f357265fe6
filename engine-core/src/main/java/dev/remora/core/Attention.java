package dev.remora.core;

/** The attention half of a block, with its weights. Immutable; what it keeps of a sequence lives in the cache. */
public interface Attention {
    /** Bytes of the cache that one position takes in this layer. */
    int cacheBytesPerRow();

    /**
     * Caches all rows of the batch and attends: each row sees its own sequence up to and including its position.
     *
     * @param h     (n, hidden_size) normalised input
     * @param layer index of this layer in the cache
     * @param out   (n, hidden_size)
     */
    void forward(Rows h, Batch batch, int layer, Rows out);
}
