package dev.remora.bench.support;

import dev.remora.core.RmsNorm;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.mla.MlaConfig;
import dev.remora.mla.MlaWeights;
import java.lang.foreign.Arena;

/**
 * The random matrices of one layer of attention, as stored.
 *
 * @param qA null where queries are not compressed
 * @param q  q_b_proj, or q_proj where queries are not compressed
 */
@SuppressWarnings("ArrayRecordComponent") // a holder of parts, never compared
public record AttentionWeights(
        MlaConfig config,
        StoredMatrix qA,
        float[] qNorm,
        StoredMatrix q,
        StoredMatrix kvA,
        float[] kvNorm,
        StoredMatrix kvB,
        StoredMatrix o) {
    private static final float[] NONE = new float[0];

    /** In a format of {@link Matrices#random}. */
    public static AttentionWeights random(MlaConfig config, String format, Arena arena) {
        int d = config.hiddenSize();
        int compressed = config.qLoraRank();
        int heads = config.numAttentionHeads();
        return new AttentionWeights(
                config,
                compressed == 0 ? null : Matrices.random(format, compressed, d, 1, arena),
                Matrices.floats(compressed, 2),
                Matrices.random(format, heads * config.qkHeadDim(), compressed == 0 ? d : compressed, 3, arena),
                Matrices.random(format, config.cacheWidth(), d, 4, arena),
                Matrices.floats(config.kvLoraRank(), 5),
                Matrices.random(format, heads * config.kvUpHeadDim(), config.kvLoraRank(), 6, arena),
                Matrices.random(format, d, heads * config.vHeadDim(), 7, arena));
    }

    /** The rows of kv_b_proj that make a head's keys, (nope, c). */
    public StoredMatrix keyUp(int head) {
        return kvB.rows(head * config.kvUpHeadDim(), config.qkNopeHeadDim());
    }

    /** The rows of kv_b_proj that make a head's values, (v, c). */
    public StoredMatrix valueUp(int head) {
        return kvB.rows(head * config.kvUpHeadDim() + config.qkNopeHeadDim(), config.vHeadDim());
    }

    /** Bytes that the projections of one pass read, without kv_b_proj. */
    public long projectionBytes() {
        return (qA == null ? 0 : qA.packedBytes()) + q.packedBytes() + kvA.packedBytes() + o.packedBytes();
    }

    /** Weights of these projections. */
    public double projectionWeights() {
        double compressed = qA == null ? 0 : (double) qA.rows() * qA.cols();
        return compressed
                + (double) q.rows() * q.cols()
                + (double) kvA.rows() * kvA.cols()
                + (double) o.rows() * o.cols();
    }

    /** The layer in memory of its own. */
    public MlaWeights pack(Arena arena) {
        int heads = config.numAttentionHeads();
        Weight[] keyUp = new Weight[heads];
        Weight[] keyUpTransposed = new Weight[heads];
        Weight[] valueUp = new Weight[heads];
        for (int head = 0; head < heads; head++) {
            keyUp[head] = keyUp(head).pack(arena);
            keyUpTransposed[head] = keyUp(head).transposed().pack(arena);
            valueUp[head] = valueUp(head).pack(arena);
        }
        boolean compressed = qA != null;
        return new MlaWeights(
                compressed ? null : q.pack(arena),
                compressed ? qA.pack(arena) : null,
                compressed ? new RmsNorm(qNorm, Plain.EPSILON) : null,
                compressed ? q.pack(arena) : null,
                kvA.pack(arena),
                new RmsNorm(kvNorm, Plain.EPSILON),
                keyUp,
                keyUpTransposed,
                valueUp,
                o.pack(arena),
                NONE,
                NONE,
                NONE);
    }
}
