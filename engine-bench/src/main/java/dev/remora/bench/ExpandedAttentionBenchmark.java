package dev.remora.bench;

import dev.remora.bench.support.Cost;
import dev.remora.mla.Evaluation;
import dev.remora.mla.MlaConfig;
import org.openjdk.jmh.annotations.Param;

/** Prompts: keys and values of all positions are made from the cached latents again. */
public class ExpandedAttentionBenchmark extends AttentionBenchmark {
    @Param({"0", "4096"})
    public int depth;

    @Param("512")
    public int rows;

    @Override
    Evaluation evaluation() {
        return Evaluation.EXPANDED;
    }

    @Override
    int depth() {
        return depth;
    }

    @Override
    int count() {
        return rows;
    }

    /** Every position expanded once for each head, then scores and sums of values. */
    @Override
    Cost attending(MlaConfig shape, long cacheBytes, long keyAndValueBytes) {
        double heads = shape.numAttentionHeads();
        double up = 2.0 * positions() * heads * shape.kvUpHeadDim() * shape.kvLoraRank();
        double pairs = 2.0 * seen() * heads * (shape.qkHeadDim() + shape.vHeadDim());
        return cost(cacheBytes + keyAndValueBytes, up + pairs);
    }
}
