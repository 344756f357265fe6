package dev.remora.models.transformer;

import dev.remora.core.Batch;
import dev.remora.core.ParallelTask;
import dev.remora.core.RmsNorm;
import dev.remora.core.Rows;
import dev.remora.core.Scratch;
import dev.remora.core.StoredMatrix;
import dev.remora.core.ThreadTeam;
import dev.remora.core.kernel.Kernels;

/**
 * The rows that all layers read and add to, and what is done to each row by itself between attention and feed-forward
 * network. Many rows are spread over the team; a few are done by the caller, who needs no barrier.
 */
final class ResidualStream {
    private static final int CHUNK_ROWS = 8;

    private final ThreadTeam team;
    private final Rows x;
    private final Rows h;
    private final Rows u;
    private final ParallelTask embed = this::embedChunk;
    private final ParallelTask normalize = this::normalizeChunk;
    private final ParallelTask add = this::addChunk;
    private StoredMatrix table;
    private Batch batch;
    private RmsNorm norm;
    private Rows normalized;

    /** For up to {@code maxRows} rows of a step. */
    ResidualStream(ThreadTeam team, int maxRows, int hiddenSize) {
        this.team = team;
        x = new Rows(maxRows, hiddenSize);
        h = new Rows(maxRows, hiddenSize);
        u = new Rows(maxRows, hiddenSize);
    }

    /** The stream itself, (n, hidden_size). */
    Rows x() {
        return x;
    }

    /** Normalised rows: the input of attention and feed-forward network. */
    Rows h() {
        return h;
    }

    /** The output of both, which {@link #addThenNormalize} or {@link #add} then adds. */
    Rows u() {
        return u;
    }

    /** x = the rows of the table that the batch names. */
    void embed(StoredMatrix embedTokens, Batch tokens) {
        x.resize(tokens.rows());
        h.resize(tokens.rows());
        u.resize(tokens.rows());
        table = embedTokens;
        batch = tokens;
        run(embed);
    }

    /** h = norm(x). */
    void normalize(RmsNorm weights) {
        norm = weights;
        normalized = h;
        run(normalize);
    }

    /** x = norm(x). */
    void normalizeInPlace(RmsNorm weights) {
        norm = weights;
        normalized = x;
        run(normalize);
    }

    /** x += u. */
    void add() {
        norm = null;
        run(add);
    }

    /** x += u, h = norm(x). */
    void addThenNormalize(RmsNorm weights) {
        norm = weights;
        normalized = h;
        run(add);
    }

    private void run(ParallelTask task) {
        team.run(task, Math.ceilDiv(x.count(), CHUNK_ROWS));
    }

    private int end(int chunk) {
        return Math.min((chunk + 1) * CHUNK_ROWS, x.count());
    }

    private void embedChunk(int chunk, Scratch scratch) {
        for (int row = chunk * CHUNK_ROWS; row < end(chunk); row++) {
            table.dequantizeRow(batch.token(row), x.data(), x.offset(row));
        }
    }

    private void normalizeChunk(int chunk, Scratch scratch) {
        for (int row = chunk * CHUNK_ROWS; row < end(chunk); row++) {
            norm.forward(x, normalized, row, scratch);
        }
    }

    private void addChunk(int chunk, Scratch scratch) {
        for (int row = chunk * CHUNK_ROWS; row < end(chunk); row++) {
            Kernels.add(u.data(), u.offset(row), x.data(), x.offset(row), x.width());
            if (norm != null) {
                norm.forward(x, normalized, row, scratch);
            }
        }
    }
}
