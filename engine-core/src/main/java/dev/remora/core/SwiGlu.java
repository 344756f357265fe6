package dev.remora.core;

import dev.remora.core.kernel.Kernels;

/**
 * The matrices of one gated feed-forward network: down(silu(gate(x)) * up(x)) (arXiv:2002.05202). Gate, up and the
 * activation of the same 64 columns are one chunk of work, so they need no barrier between them.
 *
 * @param gate (intermediate, hidden)
 * @param up   (intermediate, hidden)
 * @param down (hidden, intermediate)
 */
public record SwiGlu(Weight gate, Weight up, Weight down) {
    /** Widths must agree. */
    public SwiGlu {
        if (gate.rows() != up.rows() || gate.cols() != up.cols() || down.cols() != gate.rows()) {
            throw new IllegalArgumentException("gate (" + gate.rows() + ", " + gate.cols() + "), up (" + up.rows()
                    + ", " + up.cols() + ") and down (" + down.rows() + ", " + down.cols() + ") do not fit together");
        }
    }

    /** Width of the activation. */
    public int intermediateSize() {
        return gate.rows();
    }

    /** Bytes that one pass reads. */
    public long bytes() {
        return gate.bytes() + up.bytes() + down.bytes();
    }

    /**
     * One tile of the activation of all rows.
     *
     * @param x          (n, hidden)
     * @param transformed the same rows for a matrix that has an {@link Weight#inputTransform}
     * @param activation (n, intermediate); only the tile's columns are written
     * @param scratch    of the calling worker
     */
    public void activate(Rows x, Rows transformed, Rows activation, int tile, Scratch scratch) {
        int from = tile * Weight.TILE;
        int count = Math.min(Weight.TILE, intermediateSize() - from);
        gate.multiply(gate.inputTransform().isPresent() ? transformed : x, 0, activation, 0, tile, scratch);
        Rows product = scratch.product();
        product.resize(x.count());
        // The product holds one tile: its columns start where the tile's columns start in y.
        up.multiply(up.inputTransform().isPresent() ? transformed : x, 0, product, -from, tile, scratch);
        for (int row = 0; row < x.count(); row++) {
            float[] a = activation.data();
            int at = activation.offset(row) + from;
            Kernels.swiGlu(a, at, product.data(), product.offset(row), a, at, count);
        }
    }
}
