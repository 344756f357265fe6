package dev.remora.models.experts;

import dev.remora.core.InsufficientMemoryException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.moe.ExpertMemory;
import dev.remora.moe.ExpertObserver;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The routed experts of a model that stay in its files, and what of the memory they get. Known before anything is read. */
public final class ExpertPlan {
    private static final Logger LOG = LoggerFactory.getLogger(ExpertPlan.class);

    /** Threads that read: two keep a disk busy while one of them repacks; many processors have faster disks. */
    private static final int MIN_READERS = 2;

    private static final int MAX_READERS = 8;

    /** Two waves of two experts. */
    private static final int MIN_SLOTS = 4;

    /** Of the slots, at most this part belongs to pinned experts. */
    private static final int PINNED_PART = 2;

    private final CheckpointSource source;
    private final List<List<StoredExpert>> layers;
    private final Set<String> files = new LinkedHashSet<>();
    private final int expertsPerLayer;
    private final int experts;
    private final long[] partBytes = new long[ExpertSlot.PARTS];
    private final long slotBytes;
    private final long stagingBytes;
    private final int slots;
    private final int readers = Math.clamp(Runtime.getRuntime().availableProcessors(), MIN_READERS, MAX_READERS);
    private final List<StoredExpert> pinned;
    private final boolean fp8Copies;

    /**
     * Divides the memory.
     *
     * @param layers  of the model, each with its routed experts; an empty list where a layer is dense
     * @param options whose memory is limited
     * @throws InsufficientMemoryException if the memory does not hold what a step needs at least
     * @throws dev.remora.core.CheckpointException if the files cannot be opened
     */
    public ExpertPlan(CheckpointSource source, List<List<StoredExpert>> layers, ExpertOptions options) {
        this.source = source;
        this.layers = layers.stream().map(List::copyOf).toList();
        List<StoredExpert> all = all();
        experts = all.size();
        expertsPerLayer = layers.stream().mapToInt(List::size).max().orElse(0);
        for (StoredExpert expert : all) {
            expert.parts().forEach(part -> files.add(part.file()));
        }
        for (StoredExpert expert : all) {
            for (int index = 0; index < partBytes.length; index++) {
                partBytes[index] =
                        Math.max(partBytes[index], expert.parts().get(index).slotBytes());
            }
        }
        slotBytes = Arrays.stream(partBytes).sum();
        int alignment;
        try (ExpertFiles opened = open()) {
            alignment = opened.alignment();
            if (!opened.direct()) {
                LOG.info(
                        "{}: experts are read through the system's cache of files; it offers no direct reads here",
                        source.describe());
            }
        }
        int blocks = alignment;
        stagingBytes = all.stream()
                .mapToLong(expert -> ExpertReader.stagingBytes(expert, blocks))
                .max()
                .orElseThrow();
        fp8Copies = options.fp8Copies();
        if (fp8Copies) {
            Fp8Copies.requireWider(all.getFirst());
        }
        slots = slots(options.memory());
        pinned = options.profile().map(ExpertProfile::read).map(this::hottest).orElse(List.of());
    }

    private int slots(ExpertMemory memory) {
        int least = Math.min(MIN_SLOTS, experts);
        if (memory.share() > 0) {
            return Math.clamp(Math.round(memory.share() * experts), least, experts);
        }
        long fit = (memory.bytes() - readers() * stagingBytes) / slotBytes;
        if (fit < least) {
            throw new InsufficientMemoryException(String.format(
                    Locale.ROOT,
                    "%s: expert memory: expected at least %s, for %d experts of %s each and %d buffers of %s to read them,"
                            + " found %s; all %d experts take %s",
                    source.describe(),
                    mebibytes(least * slotBytes + readers() * stagingBytes),
                    least,
                    mebibytes(slotBytes),
                    readers(),
                    mebibytes(stagingBytes),
                    mebibytes(memory.bytes()),
                    experts,
                    mebibytes(experts * slotBytes)));
        }
        return (int) Math.min(fit, experts);
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f MiB", Math.ceil(bytes / 0x1p20 * 100) / 100);
    }

    private List<StoredExpert> hottest(ExpertProfile profile) {
        profile.check(layers);
        int most = Math.min(slots / PINNED_PART, slots - Math.min(MIN_SLOTS, slots));
        List<StoredExpert> hot = new ArrayList<>();
        layers.forEach(layer -> layer.stream()
                .filter(expert -> profile.count(expert.layer(), expert.expert()) > 0)
                .forEach(hot::add));
        hot.sort(Comparator.comparingDouble((StoredExpert expert) -> -profile.share(expert.layer(), expert.expert()))
                .thenComparingInt(StoredExpert::layer)
                .thenComparingInt(StoredExpert::expert));
        return List.copyOf(hot.subList(0, Math.min(most, hot.size())));
    }

    /**
     * Opens the store.
     *
     * @param arena   shared; owns the slots
     * @param threads that may compute meanwhile
     */
    public SlotExperts start(Arena arena, int threads, ExpertObserver observer) {
        Optional<Fp8Copies> copies = fp8Copies ? Optional.of(Fp8Copies.make(this, arena, threads)) : Optional.empty();
        return new SlotExperts(this, arena, copies, observer);
    }

    ExpertFiles open() {
        return new ExpertFiles(source, files);
    }

    int layers() {
        return layers.size();
    }

    int expertsPerLayer() {
        return expertsPerLayer;
    }

    StoredExpert expert(int layer, int expert) {
        return layers.get(layer).get(expert);
    }

    /** The sparse layer that runs next, in this step or the following one. */
    int sparseAfter(int layer) {
        int next = (layer + 1) % layers.size();
        while (layers.get(next).isEmpty()) {
            next = (next + 1) % layers.size();
        }
        return next;
    }

    /** Experts that stay in memory, hottest first. */
    List<StoredExpert> pinned() {
        return pinned;
    }

    int readers() {
        return readers;
    }

    /** Bytes of the buffer of one reader. */
    long stagingBytes() {
        return stagingBytes;
    }

    /** Memory for an expert. */
    ExpertSlot slot() {
        return new ExpertSlot(partBytes);
    }

    /** Experts that are in memory at a time. */
    public int slots() {
        return slots;
    }

    List<StoredExpert> all() {
        return layers.stream().flatMap(List::stream).toList();
    }

    /** All routed experts. */
    public int experts() {
        return experts;
    }

    /** Bytes of memory that slots, buffers and copies take. */
    public long bytes() {
        return slots * slotBytes + readers() * stagingBytes + copiesBytes();
    }

    private long copiesBytes() {
        return fp8Copies ? all().stream().mapToLong(Fp8Copies::bytes).sum() : 0;
    }

    /** Bytes of all routed experts in the files: what is not mapped and read at once. */
    public long storedBytes() {
        return all().stream().mapToLong(StoredExpert::storedBytes).sum();
    }
}
