package dev.remora.models.convert;

import dev.remora.models.LoadOptions;
import dev.remora.models.saving.CheckpointFolder;
import java.util.Optional;

/**
 * What a conversion changes.
 *
 * @param expertMajor whether gate, up and down of each expert shall lie together, by layer and expert
 * @param to          what the matrices become; empty: they stay as they are
 * @param threads     that convert; 0: one for each physical core
 * @param shardBytes  most bytes of tensors in a file, unless one expert or one tensor has more
 */
public record ConversionOptions(boolean expertMajor, Optional<WeightFormat> to, int threads, long shardBytes) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public ConversionOptions {
        LoadOptions.defaults().withThreads(threads);
        if (shardBytes < 1) {
            throw new IllegalArgumentException("shardBytes: expected at least 1, found " + shardBytes);
        }
    }

    /** Changes nothing, on all cores, into files of 5 GB. */
    public static ConversionOptions defaults() {
        return new ConversionOptions(false, Optional.empty(), 0, CheckpointFolder.SHARD_BYTES);
    }

    public ConversionOptions withExpertMajor(boolean newExpertMajor) {
        return new ConversionOptions(newExpertMajor, to, threads, shardBytes);
    }

    public ConversionOptions withTo(WeightFormat newTo) {
        return new ConversionOptions(expertMajor, Optional.of(newTo), threads, shardBytes);
    }

    public ConversionOptions withThreads(int newThreads) {
        return new ConversionOptions(expertMajor, to, newThreads, shardBytes);
    }

    public ConversionOptions withShardBytes(long newShardBytes) {
        return new ConversionOptions(expertMajor, to, threads, newShardBytes);
    }
}
