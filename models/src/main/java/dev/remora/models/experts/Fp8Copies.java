package dev.remora.models.experts;

import dev.remora.core.Packing;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.core.weight.TileLayout;
import dev.remora.fp8.Fp8Matrix;
import dev.remora.fp8.Fp8Quantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A copy of every routed expert in FP8, half as large as BF16, that is always in memory. Made while the model is loaded, which
 * reads all experts once. Another result than the expert's own: only a policy that says so uses it.
 */
final class Fp8Copies {
    private final List<Optional<SwiGlu>> copies;
    private final int expertsPerLayer;

    private Fp8Copies(List<Optional<SwiGlu>> copies, int expertsPerLayer) {
        this.copies = copies;
        this.expertsPerLayer = expertsPerLayer;
    }

    /** @throws IllegalArgumentException if experts are stored in FP8 already */
    static void requireWider(StoredExpert expert) {
        String format = expert.gate().matrix().format();
        if (format.equals(Fp8Matrix.FORMAT)) {
            throw new IllegalArgumentException("fp8Copies: expected experts stored in BF16, F16 or F32, found " + format
                    + "; such a copy would be the expert itself");
        }
    }

    /** Bytes of the copy of an expert. */
    static long bytes(StoredExpert expert) {
        return expert.parts().stream().mapToLong(Fp8Copies::bytes).sum();
    }

    private static long bytes(StoredExpert.Part part) {
        int rows = part.matrix().rows();
        int cols = part.matrix().cols();
        long tiles = Math.ceilDiv(rows, Weight.TILE);
        long scales = Float.BYTES * tiles * Math.ceilDiv(cols, Fp8Quantizer.BLOCK);
        return TileLayout.bytes(rows, cols, 1) + Math.ceilDiv(scales, StoredExpert.ALIGNMENT) * StoredExpert.ALIGNMENT;
    }

    /**
     * Reads and quantises all experts.
     *
     * @param arena shared; owns the copies
     */
    static Fp8Copies make(ExpertPlan plan, Arena arena, int threads) {
        int experts = plan.expertsPerLayer();
        SwiGlu[] copies = new SwiGlu[plan.layers() * experts];
        List<StoredExpert> all = plan.all();
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (ExpertFiles files = plan.open();
                Arena staging = Arena.ofShared()) {
            List<Thread> workers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                // Platform threads that nobody interrupts: an interrupt would close the file they read.
                workers.add(Thread.ofPlatform()
                        .name("remora-fp8-copies-" + i)
                        .daemon()
                        .start(() -> {
                            try {
                                Copier copier =
                                        new Copier(new ExpertReader(files, staging, plan.stagingBytes()), arena);
                                for (int k = next.getAndIncrement(); k < all.size(); k = next.getAndIncrement()) {
                                    StoredExpert expert = all.get(k);
                                    copies[expert.layer() * experts + expert.expert()] = copier.copy(expert);
                                }
                            } catch (Throwable e) {
                                failure.compareAndSet(null, e);
                                next.set(all.size());
                            }
                        }));
            }
            workers.forEach(Fp8Copies::await);
        }
        rethrow(failure.get());
        List<Optional<SwiGlu>> list = new ArrayList<>();
        for (SwiGlu copy : copies) {
            list.add(Optional.ofNullable(copy));
        }
        return new Fp8Copies(list, experts);
    }

    private static void await(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void rethrow(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /** One thread's part of the work. */
    private static final class Copier {
        private final ExpertReader reader;
        private final Arena arena;
        private final Fp8Quantizer quantizer = new Fp8Quantizer();

        Copier(ExpertReader reader, Arena arena) {
            this.reader = reader;
            this.arena = arena;
        }

        SwiGlu copy(StoredExpert expert) {
            Weight[] weights = new Weight[expert.parts().size()];
            for (int index = 0; index < weights.length; index++) {
                StoredExpert.Part part = expert.parts().get(index);
                MemorySegment memory = arena.allocate(bytes(part), TileLayout.ALIGNMENT);
                try (Arena codes = Arena.ofConfined()) {
                    Fp8Matrix quantized = quantizer.quantize(part.tensor(), reader.read(expert, index), codes);
                    Packing packing = quantized.packing(SegmentAllocator.slicingAllocator(memory));
                    weights[index] = packing.weight();
                    packing.fill(0, weights[index].tiles());
                }
            }
            return new SwiGlu(weights[0], weights[1], weights[2]);
        }
    }

    Optional<SwiGlu> of(int layer, int expert) {
        return copies.get(layer * expertsPerLayer + expert);
    }
}
