package dev.remora.bench;

import dev.remora.bench.support.Cost;
import dev.remora.mla.Evaluation;
import dev.remora.mla.MlaConfig;
import org.openjdk.jmh.annotations.Param;

/** Decoding: queries go into the latent space, and each cached row is read once for all heads. */
public class AbsorbedAttentionBenchmark extends AttentionBenchmark {
    @Param({"0", "512", "4096", "16384"})
    public int depth;

    @Param({"1", "8"})
    public int rows;

    @Override
    Evaluation evaluation() {
        return Evaluation.ABSORBED;
    }

    @Override
    int depth() {
        return depth;
    }

    @Override
    int count() {
        return rows;
    }

    /** W_UK and W_UV with each head's query and output; then scores and sums of latents over the cache. */
    @Override
    Cost attending(MlaConfig shape, long cacheBytes, long keyAndValueBytes) {
        double heads = shape.numAttentionHeads();
        double up = 2.0 * rows * heads * shape.kvUpHeadDim() * shape.kvLoraRank();
        double pairs = 2.0 * seen() * heads * (shape.cacheWidth() + shape.kvLoraRank());
        return cost(keyAndValueBytes, up).then(cost(cacheBytes, pairs));
    }
}
