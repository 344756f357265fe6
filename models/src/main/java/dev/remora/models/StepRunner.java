package dev.remora.models;

import dev.remora.moe.policy.RouterPolicy;

/** Steps of the forward pass, asked for from any thread; one engine thread runs them in turn. */
interface StepRunner {
    int vocabSize();

    /** Rows that one step takes at most: the chunk of a prompt. */
    int maxRowsPerStep();

    /** What {@link #policy(RouterPolicy)} was told last. */
    RouterPolicy policy();

    /**
     * Sets how the router chooses, from the next step on. From any thread.
     *
     * @throws IllegalArgumentException if the model cannot do it
     */
    void policy(RouterPolicy policy);

    /** A sequence with its own cache. */
    Slot open(int contextLength);

    /** One sequence. Used by one thread at a time, but for {@link #cancel()}. */
    interface Slot extends AutoCloseable {
        /** Tokens in the cache. */
        int position();

        int contextLength();

        /**
         * Appends {@code ids[from, from + count)} after {@link #position()} and waits until it is done. Nothing is
         * allocated.
         *
         * @param count 1 to {@link StepRunner#maxRowsPerStep()}
         * @param logitRows how many of the last rows want logits; 0: none
         * @param logits takes them, row-major (logitRows, vocabSize)
         * @throws java.util.concurrent.CancellationException if {@link #cancel()} was called meanwhile, or the waiting
         *     thread was interrupted (its flag stays set); the position is unchanged
         */
        void append(int[] ids, int from, int count, int logitRows, float[] logits);

        /** Forgets the tokens from {@code position} on. */
        void truncate(int position);

        /**
         * Ends the append that is running at the next layer; if none is, it may end the next one instead. From any
         * thread; after close, no effect.
         */
        void cancel();

        @Override
        void close();
    }
}
