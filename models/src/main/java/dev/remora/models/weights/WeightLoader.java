package dev.remora.models.weights;

import dev.remora.core.Packing;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.core.weight.TileLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * Repacks the matrices of a model in two steps: all are first announced, and so validated and counted, then repacked in
 * parallel. Beyond the weights themselves this needs no memory: the files are mapped.
 */
public final class WeightLoader {
    private static final long MAX_SLAB = 64L << 20;
    private static final long PIECE = 1L << 20;
    private static final long ALIGNMENT = TileLayout.ALIGNMENT;

    private final List<Item> items = new ArrayList<>();
    private long bytes;

    /** What will be loaded. */
    private interface Item {
        long bytes();

        /** Allocates, and adds the work that is left: pieces that may run in any order and on any thread. */
        void start(SegmentAllocator memory, List<Runnable> pieces);
    }

    private record PackedItem(StoredMatrix matrix, long bytes, Result<Packing> result) implements Item {
        @Override
        public void start(SegmentAllocator memory, List<Runnable> pieces) {
            Packing packing = matrix.packing(memory);
            result.value = packing;
            int tiles = packing.weight().tiles();
            int step = Math.toIntExact(Math.max(1, PIECE * tiles / Math.max(1, bytes)));
            for (int tile = 0; tile < tiles; tile += step) {
                int from = tile;
                int to = Math.min(tile + step, tiles);
                pieces.add(() -> packing.fill(from, to));
            }
        }
    }

    private record CopiedItem(StoredMatrix matrix, long bytes, Result<StoredMatrix> result) implements Item {
        @Override
        public void start(SegmentAllocator memory, List<Runnable> pieces) {
            // Here, because the slab's allocator serves one thread; the copy then takes all of what it is given.
            SegmentAllocator own = SegmentAllocator.prefixAllocator(memory.allocate(bytes, ALIGNMENT));
            pieces.add(() -> result.value = matrix.copy(own));
        }
    }

    /** Written by the threads of the loader, which end before anybody else reads it. */
    private static final class Result<T> {
        private T value;

        T get() {
            if (value == null) {
                throw new IllegalStateException("asked for a weight before loading");
            }
            return value;
        }
    }

    /** Announces a matrix; the supplier answers after {@link #load}. */
    public Supplier<Weight> add(StoredMatrix matrix) {
        Result<Packing> result = new Result<>();
        add(new PackedItem(matrix, matrix.packedBytes(), result));
        return () -> result.get().weight();
    }

    /** Announces a matrix that stays row-major; the supplier answers after {@link #load}. */
    public Supplier<StoredMatrix> addCopy(StoredMatrix matrix) {
        Result<StoredMatrix> result = new Result<>();
        add(new CopiedItem(matrix, matrix.storedBytes(), result));
        return result::get;
    }

    private void add(Item item) {
        items.add(item);
        bytes += item.bytes();
    }

    /** Bytes of all weights. */
    public long bytes() {
        return bytes;
    }

    /**
     * Repacks everything that was announced.
     *
     * @param arena    that will own the weights
     * @param progress told the bytes done, from this thread
     */
    public void load(Arena arena, int threads, LongConsumer progress) {
        try (LoadingThreads loading = new LoadingThreads(slabs(arena, threads), threads)) {
            long done;
            do {
                done = loading.awaitMore();
                progress.accept(done);
            } while (done < bytes);
        }
    }

    /**
     * Groups matrices that lie next to each other in the order of announcement. A slab is one allocation: few and large ones
     * cost the system less than many, and can lie in huge pages where it grants them.
     */
    private List<Slab> slabs(Arena arena, int threads) {
        long size = Math.clamp(bytes / (8L * threads), PIECE, MAX_SLAB);
        List<Slab> slabs = new ArrayList<>();
        Slab open = null;
        for (Item item : items) {
            if (open == null || open.bytes + item.bytes() > size) {
                open = new Slab(arena);
                slabs.add(open);
            }
            open.add(item);
        }
        // The largest, a head for example, come first: all threads then end at about the same time.
        slabs.sort(Comparator.comparingLong((Slab slab) -> slab.bytes).reversed());
        return slabs;
    }

    /** Matrices that share an allocation. */
    static final class Slab {
        private final Arena arena;
        private final List<Item> items = new ArrayList<>();
        private long bytes;
        private long aligned;

        private Slab(Arena arena) {
            this.arena = arena;
        }

        private void add(Item item) {
            items.add(item);
            bytes += item.bytes();
            aligned += Math.ceilDiv(item.bytes(), ALIGNMENT) * ALIGNMENT;
        }

        /** Bytes of its matrices. */
        long bytes() {
            return bytes;
        }

        /** Allocates; what is left to do are pieces for any thread. */
        List<Runnable> start() {
            SegmentAllocator memory = SegmentAllocator.slicingAllocator(arena.allocate(aligned, ALIGNMENT));
            List<Runnable> pieces = new ArrayList<>();
            for (Item item : items) {
                item.start(memory, pieces);
            }
            return pieces;
        }
    }
}
