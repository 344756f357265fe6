package dev.remora.models.transformer;

import dev.remora.core.Batch;
import dev.remora.core.Linear;
import dev.remora.core.RmsNorm;
import dev.remora.core.Rows;
import dev.remora.core.StoredMatrix;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import java.util.List;

/** A decoder: embedding, blocks, final norm; and the head, for the rows that want logits. One thread at a time. */
public final class Transformer {
    /** Rows of logits computed at a time: enough to read the head seldom, few enough to stay small. */
    public static final int HEAD_ROWS = 16;

    private final StoredMatrix embedTokens;
    private final List<Block> layers;
    private final RmsNorm norm;
    private final Linear lmHead;
    private final ResidualStream stream;
    private final Rows headInput;
    private final Rows logits;
    private final StepClock clock = new StepClock();

    /**
     * @param embedTokens (vocab_size, hidden_size), row-major
     * @param lmHead      (vocab_size, hidden_size)
     * @param maxRows     most rows of a step
     */
    public Transformer(
            StoredMatrix embedTokens, List<Block> layers, RmsNorm norm, Weight lmHead, ThreadTeam team, int maxRows) {
        this.embedTokens = embedTokens;
        this.layers = List.copyOf(layers);
        this.norm = norm;
        this.lmHead = new Linear(lmHead, team);
        stream = new ResidualStream(team, maxRows, embedTokens.cols());
        headInput = stream.x().selection(HEAD_ROWS);
        logits = new Rows(HEAD_ROWS, lmHead.rows());
    }

    public int vocabSize() {
        return embedTokens.rows();
    }

    /** Tells where the time of a step goes, if it is started before. */
    public StepClock clock() {
        return clock;
    }

    /** Most rows of a step. */
    public int maxRows() {
        return stream.x().capacity();
    }

    /** Sees the residual stream before each layer, and may end the step by an exception. */
    @FunctionalInterface
    public interface LayerBoundary {
        /** Called before layer {@code layer} reads x, (n, hidden_size); its rows must not be changed. */
        void before(int layer, Rows x);
    }

    /**
     * Caches all rows of the batch and computes their hidden states, which {@link #logits} then reads.
     *
     * @return the hidden states, (n, hidden_size), after the final norm
     */
    public Rows forward(Batch batch, LayerBoundary boundary) {
        stream.embed(embedTokens, batch);
        for (int layer = 0; layer < layers.size(); layer++) {
            boundary.before(layer, stream.x());
            layers.get(layer).forward(stream, batch, layer, clock);
        }
        stream.normalizeInPlace(norm);
        clock.lap(StepClock.Phase.OTHER);
        return stream.x();
    }

    /**
     * Logits of some rows of the last {@link #forward}.
     *
     * @param from  first row
     * @param count at most {@link #HEAD_ROWS}
     * @return (count, vocab_size), overwritten by the next call
     */
    public Rows logits(int from, int count) {
        headInput.select(stream.x(), from, count);
        lmHead.forward(headInput, logits);
        clock.lap(StepClock.Phase.HEAD);
        return logits;
    }

    /** Bytes of the rows of a transformer, for the account of memory before loading. */
    public static long bytes(int hiddenSize, int vocabSize, int maxRows) {
        return 3 * Rows.bytes(maxRows, hiddenSize) + Rows.bytes(HEAD_ROWS, vocabSize);
    }
}
