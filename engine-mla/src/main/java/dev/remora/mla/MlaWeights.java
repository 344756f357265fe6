package dev.remora.mla;

import dev.remora.core.RmsNorm;
import dev.remora.core.Weight;

/**
 * The matrices of one layer, named as in the checkpoint. {@code kv_b_proj} is split by head, and its key half is kept in
 * both directions: W_UK expands keys, its transpose absorbs queries; the second copy takes
 * {@code heads * qk_nope_head_dim * kv_lora_rank} weights.
 *
 * @param qProj            (heads * (nope + rope), hidden); null where queries are compressed
 * @param qAProj           (q_lora_rank, hidden); null where they are not, as the two that follow
 * @param qALayernorm      of the compressed queries
 * @param qBProj           (heads * (nope + rope), q_lora_rank)
 * @param kvAProjWithMqa   (c + r, hidden)
 * @param kvALayernorm     of the latent
 * @param keyUp            for each head W_UK, (nope, c)
 * @param keyUpTransposed  for each head W_UK^T, (c, nope)
 * @param valueUp          for each head W_UV, (v, c)
 * @param oProj            (hidden, heads * v)
 * @param qABias           of q_a_proj; empty: none, as the two that follow
 * @param kvABias          of kv_a_proj_with_mqa
 * @param oBias            of o_proj
 */
@SuppressWarnings("ArrayRecordComponent") // a holder of parts, never compared
public record MlaWeights(
        Weight qProj,
        Weight qAProj,
        RmsNorm qALayernorm,
        Weight qBProj,
        Weight kvAProjWithMqa,
        RmsNorm kvALayernorm,
        Weight[] keyUp,
        Weight[] keyUpTransposed,
        Weight[] valueUp,
        Weight oProj,
        float[] qABias,
        float[] kvABias,
        float[] oBias) {}
