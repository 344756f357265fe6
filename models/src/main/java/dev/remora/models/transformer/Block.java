package dev.remora.models.transformer;

import dev.remora.core.Attention;
import dev.remora.core.Batch;
import dev.remora.core.FeedForward;
import dev.remora.core.RmsNorm;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.kernel.Kernels;

/**
 * x += attention(norm(x)); x += ffn(norm(x)). Knows neither latent attention nor experts.
 *
 * @param inputLayernorm         before the attention
 * @param postAttentionLayernorm before the feed-forward network
 */
public record Block(RmsNorm inputLayernorm, Attention selfAttn, RmsNorm postAttentionLayernorm, FeedForward mlp) {
    /**
     * One layer, in place.
     *
     * @param x residual stream, (n, hidden_size)
     * @param h scratch, as large
     * @param u scratch, as large
     */
    void forward(Rows x, Batch batch, int layer, Rows h, Rows u, Scratch scratch) {
        inputLayernorm.forward(x, h, scratch);
        selfAttn.forward(h, batch, layer, u);
        add(u, x);
        postAttentionLayernorm.forward(x, h, scratch);
        mlp.forward(h, u);
        add(u, x);
    }

    private static void add(Rows u, Rows x) {
        for (int row = 0; row < x.count(); row++) {
            Kernels.add(u.data(), u.offset(row), x.data(), x.offset(row), x.width());
        }
    }
}
