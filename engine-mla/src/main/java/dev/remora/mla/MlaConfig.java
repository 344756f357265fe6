package dev.remora.mla;

/**
 * The dimensions of multi-head latent attention, named as in config.json, with the symbols of arXiv:2405.04434.
 *
 * @param hiddenSize        d      width of the residual stream
 * @param numAttentionHeads n_h    heads
 * @param qLoraRank         d'_c   width of the compressed queries; 0: queries are not compressed
 * @param kvLoraRank        d_c    values of the latent that are cached per position
 * @param qkNopeHeadDim     d_h    query and key values per head without position
 * @param qkRopeHeadDim     d_h^R  query values per head, and key values shared by all heads, with position
 * @param vHeadDim                 value values per head
 * @param softmaxScale             factor of the scores, YaRN's included
 */
public record MlaConfig(
        int hiddenSize,
        int numAttentionHeads,
        int qLoraRank,
        int kvLoraRank,
        int qkNopeHeadDim,
        int qkRopeHeadDim,
        int vHeadDim,
        float softmaxScale) {
    /** Query values of one head. */
    public int qkHeadDim() {
        return qkNopeHeadDim + qkRopeHeadDim;
    }

    /** Values of one cache row: the latent, then the rotated key. */
    public int cacheWidth() {
        return kvLoraRank + qkRopeHeadDim;
    }

    /** Rows of kv_b_proj that belong to one head: first W_UK, then W_UV. */
    public int kvUpHeadDim() {
        return qkNopeHeadDim + vHeadDim;
    }

    /**
     * Rows of one sequence above which expanding its whole past again is cheaper than attending in the latent space, if
     * the past is long: N* = c (nope + v) / ((2c + r) - (nope + r + v)). Infinite where absorption always wins.
     */
    public double breakEvenRows() {
        double c = kvLoraRank;
        double saved = 2 * c + qkRopeHeadDim - (qkNopeHeadDim + qkRopeHeadDim + vHeadDim);
        return saved <= 0 ? Double.POSITIVE_INFINITY : c * kvUpHeadDim() / saved;
    }
}
