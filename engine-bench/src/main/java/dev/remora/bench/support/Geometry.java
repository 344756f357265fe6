package dev.remora.bench.support;

import dev.remora.mla.MlaConfig;
import dev.remora.moe.MoeConfig;
import dev.remora.moe.ScoringFunc;
import dev.remora.moe.TopkMethod;

/** Dimensions of the released models, and small ones with the same structure, none of them a whole number of tiles. */
public final class Geometry {
    public static final String V2_LITE = "v2-lite";
    public static final String V2 = "v2";
    public static final String V3 = "v3";

    private static final int TINY_HIDDEN = 72;
    private static final int TINY_EXPERT = 88;

    private Geometry() {}

    /** Of {@link #V2_LITE} and {@link #V3}. */
    public static MlaConfig attention(String model, boolean tiny) {
        return switch (model) {
            case V2_LITE ->
                tiny ? attention(TINY_HIDDEN, 5, 0, 48, 24, 16, 40) : attention(2048, 16, 0, 512, 128, 64, 128);
            case V3 ->
                tiny ? attention(TINY_HIDDEN, 19, 56, 48, 24, 16, 40) : attention(7168, 128, 1536, 512, 128, 64, 128);
            default -> throw unknown(model);
        };
    }

    private static MlaConfig attention(int hidden, int heads, int qLora, int kvLora, int nope, int rope, int v) {
        return new MlaConfig(hidden, heads, qLora, kvLora, nope, rope, v, (float) (1 / Math.sqrt(nope + rope)));
    }

    /** Routers keep their number of experts at any size. */
    public static MoeConfig experts(String model, boolean tiny) {
        return switch (model) {
            case V2_LITE ->
                new MoeConfig(
                        tiny ? TINY_HIDDEN : 2048,
                        tiny ? TINY_EXPERT : 1408,
                        64,
                        2,
                        6,
                        1,
                        1,
                        ScoringFunc.SOFTMAX,
                        TopkMethod.GREEDY,
                        false,
                        1);
            case V2 ->
                new MoeConfig(
                        tiny ? TINY_HIDDEN : 5120,
                        tiny ? TINY_EXPERT : 1536,
                        160,
                        2,
                        6,
                        8,
                        3,
                        ScoringFunc.SOFTMAX,
                        TopkMethod.GROUP_LIMITED_GREEDY,
                        false,
                        16);
            case V3 ->
                new MoeConfig(
                        tiny ? TINY_HIDDEN : 7168,
                        tiny ? TINY_EXPERT : 2048,
                        256,
                        1,
                        8,
                        8,
                        4,
                        ScoringFunc.SIGMOID,
                        TopkMethod.NOAUX_TC,
                        true,
                        2.5);
            default -> throw unknown(model);
        };
    }

    private static IllegalArgumentException unknown(String model) {
        return new IllegalArgumentException("model: expected v2-lite, v2 or v3, found " + model);
    }
}
