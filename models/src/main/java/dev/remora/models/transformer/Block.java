package dev.remora.models.transformer;

import dev.remora.core.Attention;
import dev.remora.core.Batch;
import dev.remora.core.FeedForward;
import dev.remora.core.RmsNorm;

/**
 * x += attention(norm(x)); x += ffn(norm(x)). Knows neither latent attention nor experts.
 *
 * @param inputLayernorm         before the attention
 * @param postAttentionLayernorm before the feed-forward network
 */
public record Block(RmsNorm inputLayernorm, Attention selfAttn, RmsNorm postAttentionLayernorm, FeedForward mlp) {
    /** One layer, in place. */
    void forward(ResidualStream stream, Batch batch, int layer, StepClock clock) {
        stream.normalize(inputLayernorm);
        clock.lap(StepClock.Phase.OTHER);
        selfAttn.forward(stream.h(), batch, layer, stream.u());
        clock.lap(StepClock.Phase.ATTENTION);
        stream.addThenNormalize(postAttentionLayernorm);
        clock.lap(StepClock.Phase.OTHER);
        mlp.forward(stream.h(), batch, stream.u());
        clock.lap(StepClock.Phase.FEED_FORWARD);
        stream.add();
    }
}
