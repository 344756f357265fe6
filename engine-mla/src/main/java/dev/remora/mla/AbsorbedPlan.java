package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.Rows;

/**
 * The rows of a step that are evaluated in the latent space, and the partial results of their splits. Rows go in waves
 * that fit the partial results; a wave is at least one row, whatever its context.
 *
 * <pre>
 *   slot of (row, 16 heads, split): | maximum 16 | sum 16 | latents 16 x c |
 * </pre>
 */
final class AbsorbedPlan {
    /** Positions of one split: eight pages. */
    static final int SPLIT = 8 * MlaWorkspace.Worker.POSITIONS;

    /** Floats of partial results, 16 MB, unless one row needs more. */
    static final int USUAL_SIZE = 1 << 22;

    private final MlaWorkspace workspace;
    private final int slotSize;
    private final int headGroups;
    private final int[] segments;
    private final int[] visible;
    private final Rows queries;
    private final Rows latentQueries;
    private final Rows attendedLatents;
    private final Rows attended;
    private float[] partial = new float[0];
    private int count;

    AbsorbedPlan(MlaWorkspace workspace, int maxRows) {
        MlaConfig config = workspace.config();
        this.workspace = workspace;
        slotSize = slotSize(config);
        headGroups = headGroups(config);
        segments = new int[maxRows];
        visible = new int[maxRows];
        queries = workspace.queries().selection(maxRows);
        latentQueries = workspace.latentQueries().selection(maxRows);
        attendedLatents = workspace.attendedLatents().selection(maxRows);
        attended = workspace.attended().selection(maxRows);
    }

    /** Bytes that a plan takes, once it has seen a row that sees {@code contextLength} positions. */
    static long bytes(MlaConfig config, int maxRows, int contextLength) {
        long oneRow = (long) Math.ceilDiv(contextLength, SPLIT) * headGroups(config) * slotSize(config);
        return Float.BYTES * Math.max(USUAL_SIZE, oneRow) + 6L * Integer.BYTES * maxRows;
    }

    private static int slotSize(MlaConfig config) {
        return MlaWorkspace.Worker.HEADS * (2 + MlaWorkspace.roundUp(config.kvLoraRank()));
    }

    private static int headGroups(MlaConfig config) {
        return Math.ceilDiv(config.numAttentionHeads(), MlaWorkspace.Worker.HEADS);
    }

    /** Selects the rows of a step. */
    void prepare(Batch batch) {
        count = 0;
        queries.resize(0);
        latentQueries.resize(0);
        attendedLatents.resize(0);
        attended.resize(0);
        int most = 0;
        for (int segment = 0; segment < batch.segments(); segment++) {
            if (workspace.expands(batch, segment)) {
                continue;
            }
            for (int row = batch.segmentStart(segment); row < batch.segmentStart(segment + 1); row++) {
                segments[count] = segment;
                visible[count] = batch.position(row) + 1;
                most = Math.max(most, visible[count]);
                count++;
                queries.append(workspace.queries(), row);
                latentQueries.append(workspace.latentQueries(), row);
                attendedLatents.append(workspace.attendedLatents(), row);
                attended.append(workspace.attended(), row);
            }
        }
        int oneRow = Math.multiplyExact(Math.ceilDiv(most, SPLIT), headGroups * slotSize);
        int wanted = Math.max(oneRow, (int) Math.min(USUAL_SIZE, (long) count * oneRow));
        if (partial.length < wanted) {
            // Doubled, so that a growing context seldom comes here.
            partial = new float[(int) Math.max(wanted, Math.min(2L * partial.length, USUAL_SIZE))];
        }
    }

    int rows() {
        return count;
    }

    int segment(int selected) {
        return segments[selected];
    }

    /** Positions that a selected row sees. */
    int visible(int selected) {
        return visible[selected];
    }

    /** The most splits of the selected rows [from, to]. */
    int splits(int to, int from) {
        int most = 0;
        for (int row = from; row <= to; row++) {
            most = Math.max(most, visible[row]);
        }
        return Math.ceilDiv(most, SPLIT);
    }

    /** End of the wave that starts at a selected row. */
    int waveEnd(int from) {
        int most = visible[from];
        int end = from + 1;
        while (end < count) {
            most = Math.max(most, visible[end]);
            if ((end + 1L - from) * Math.ceilDiv(most, SPLIT) * headGroups * slotSize > partial.length) {
                break;
            }
            end++;
        }
        return end;
    }

    int slotSize() {
        return slotSize;
    }

    float[] partial() {
        return partial;
    }

    Rows queries() {
        return queries;
    }

    Rows latentQueries() {
        return latentQueries;
    }

    Rows attendedLatents() {
        return attendedLatents;
    }

    Rows attended() {
        return attended;
    }
}
