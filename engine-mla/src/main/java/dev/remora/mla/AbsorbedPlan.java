package dev.remora.mla;

import dev.remora.core.Batch;
import dev.remora.core.Rows;

/**
 * The rows of a step that are evaluated in the latent space, cut into units of 16 heads of a row and bundles of up to
 * {@value #BUNDLE} units of one sequence, and the partial results of their splits.
 *
 * <p>The partial results have a fixed size, whatever the context: bundles go in waves that fit, and a bundle that does not
 * fit by itself goes in several waves over its context, the first slot of each unit holding what was merged before.
 */
final class AbsorbedPlan {
    /** Positions of one split: four pages. */
    static final int SPLIT = 4 * OnlineAttention.POSITIONS;

    /** Units that share each decoded cache row. */
    static final int BUNDLE = 4;

    /** Floats of partial results, 8 MB, unless a bundle needs more for two splits. */
    static final int USUAL_SIZE = 1 << 21;

    private final MlaWorkspace workspace;
    private final int slotSize;
    private final int headGroups;
    private final int[] segments;
    private final int[] visible;
    private final int[] bundles;
    private final Rows queries;
    private final Rows latentQueries;
    private final Rows attendedLatents;
    private final Rows attended;
    private final float[] partial;
    private int count;
    private int bundleCount;
    private long serial;
    private int waveBundle;
    private int waveEnd;
    private int waveSplit;
    private int waveSplits;
    private int slotsPerUnit;

    AbsorbedPlan(MlaWorkspace workspace, int maxRows, int size) {
        MlaConfig config = workspace.config();
        this.workspace = workspace;
        slotSize = slotSize(config);
        headGroups = headGroups(config);
        segments = new int[maxRows];
        visible = new int[maxRows];
        bundles = new int[maxRows * headGroups + 1];
        queries = workspace.queries().selection(maxRows);
        latentQueries = workspace.latentQueries().selection(maxRows);
        attendedLatents = workspace.attendedLatents().selection(maxRows);
        attended = workspace.attended().selection(maxRows);
        partial = new float[size(config, size)];
    }

    /** Bytes that a plan takes. */
    static long bytes(MlaConfig config, int maxRows) {
        return (long) Float.BYTES * size(config, USUAL_SIZE) + (6L + headGroups(config)) * maxRows * Integer.BYTES;
    }

    private static int size(MlaConfig config, int size) {
        return Math.max(size, 2 * BUNDLE * slotSize(config));
    }

    private static int slotSize(MlaConfig config) {
        return OnlineAttention.slotSize(OnlineAttention.blocks(config.kvLoraRank()));
    }

    private static int headGroups(MlaConfig config) {
        return Math.ceilDiv(config.numAttentionHeads(), OnlineAttention.QUERIES);
    }

    /** Selects the rows of a step. */
    void prepare(Batch batch) {
        count = 0;
        bundleCount = 0;
        queries.resize(0);
        latentQueries.resize(0);
        attendedLatents.resize(0);
        attended.resize(0);
        for (int segment = 0; segment < batch.segments(); segment++) {
            if (workspace.expands(batch, segment)) {
                continue;
            }
            int firstUnit = count * headGroups;
            for (int row = batch.segmentStart(segment); row < batch.segmentStart(segment + 1); row++) {
                segments[count] = segment;
                visible[count] = batch.position(row) + 1;
                count++;
                queries.append(workspace.queries(), row);
                latentQueries.append(workspace.latentQueries(), row);
                attendedLatents.append(workspace.attendedLatents(), row);
                attended.append(workspace.attended(), row);
            }
            for (int unit = firstUnit; unit < count * headGroups; unit += BUNDLE) {
                bundles[bundleCount++] = unit;
            }
        }
        bundles[bundleCount] = count * headGroups;
    }

    int rows() {
        return count;
    }

    /** Number of the layer's pass over the plan: queries that a worker filled belong to one. */
    long serial() {
        return serial;
    }

    /** First unit of a bundle. */
    int bundleStart(int bundle) {
        return bundles[bundle];
    }

    /** Selected row of a unit. */
    int row(int unit) {
        return unit / headGroups;
    }

    int firstHead(int unit) {
        return unit % headGroups * OnlineAttention.QUERIES;
    }

    /** Heads of a unit. */
    int heads(int unit) {
        return Math.min(OnlineAttention.QUERIES, workspace.config().numAttentionHeads() - firstHead(unit));
    }

    int segment(int unit) {
        return segments[row(unit)];
    }

    /** Positions that a unit sees. */
    int visible(int unit) {
        return visible[row(unit)];
    }

    /** Goes before the first wave. */
    void beginWaves() {
        serial++;
        waveBundle = 0;
        waveEnd = 0;
        waveSplit = 0;
        waveSplits = 0;
    }

    /** Goes to the next wave; false after the last. */
    boolean nextWave() {
        if (waveBundle < waveEnd && waveSplit + waveSplits < splits(waveBundle)) {
            waveSplit += waveSplits;
            waveSplits = Math.min(slotsPerUnit - 1, splits(waveBundle) - waveSplit);
            return true;
        }
        if (waveEnd == bundleCount) {
            return false;
        }
        int slots = partial.length / slotSize;
        waveBundle = waveEnd;
        waveSplit = 0;
        waveSplits = splits(waveBundle);
        waveEnd++;
        while (waveEnd < bundleCount) {
            int most = Math.max(waveSplits, splits(waveEnd));
            if ((long) (bundles[waveEnd + 1] - bundles[waveBundle]) * most > slots) {
                break;
            }
            waveSplits = most;
            waveEnd++;
        }
        slotsPerUnit = Math.min(waveSplits, slots / waveUnits());
        waveSplits = slotsPerUnit;
        return true;
    }

    private int splits(int bundle) {
        return Math.ceilDiv(visible(bundles[bundle + 1] - 1), SPLIT);
    }

    /** First bundle of the wave. */
    int waveBundle() {
        return waveBundle;
    }

    int waveBundles() {
        return waveEnd - waveBundle;
    }

    int waveUnits() {
        return bundles[waveEnd] - bundles[waveBundle];
    }

    /** First split of the wave. */
    int waveSplit() {
        return waveSplit;
    }

    /** The most splits that a bundle has in the wave. */
    int waveSplits() {
        return waveSplits;
    }

    /** Index in {@link #partial} of the slot of a unit of the wave that earlier splits are merged into. */
    int firstSlot(int unit) {
        return (unit - bundles[waveBundle]) * slotsPerUnit * slotSize;
    }

    /** Index in {@link #partial} of the slot of a unit and a split of the wave. */
    int slot(int unit, int split) {
        return firstSlot(unit) + (split - waveSplit + (waveSplit > 0 ? 1 : 0)) * slotSize;
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
