package dev.remora.models.experts;

import dev.remora.core.CheckpointException;
import dev.remora.core.Packing;
import dev.remora.core.RemoraException;
import dev.remora.core.StoredMatrix;
import dev.remora.core.SwiGlu;
import dev.remora.core.Weight;
import dev.remora.core.checkpoint.CheckpointFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads experts into a buffer of its own and repacks them into slots. One thread each. Matrices that are neighbours in their
 * file are read at once.
 */
final class ExpertReader {
    /** Most bytes that are read at once, unless one matrix has more. */
    private static final long MAX_SPAN = 32L << 20;

    private final ExpertFiles files;
    private final MemorySegment staging;

    /** Neighbours in a file. */
    private record Span(List<StoredExpert.Part> parts) {
        String file() {
            return parts.getFirst().file();
        }

        long from() {
            return parts.getFirst().offset();
        }

        long end() {
            return parts.getLast().end();
        }

        boolean takes(StoredExpert.Part part) {
            return part.file().equals(file()) && part.offset() == end() && part.end() - from() <= MAX_SPAN;
        }

        /** Bytes of a buffer that takes it, with what lies before and after in its blocks. */
        long stagingBytes(int alignment) {
            return Math.ceilDiv(end() - from(), alignment) * (long) alignment + alignment;
        }
    }

    /**
     * @param arena        that will own the buffer
     * @param stagingBytes the largest {@link #stagingBytes(StoredExpert, int)}
     */
    ExpertReader(ExpertFiles files, Arena arena, long stagingBytes) {
        this.files = files;
        this.staging = arena.allocate(stagingBytes, Math.max(64, files.alignment()));
    }

    /** Bytes of a buffer that an expert needs. */
    static long stagingBytes(StoredExpert expert, int alignment) {
        return spans(expert).stream()
                .mapToLong(span -> span.stagingBytes(alignment))
                .max()
                .orElseThrow();
    }

    private static List<Span> spans(StoredExpert expert) {
        List<StoredExpert.Part> parts = new ArrayList<>(expert.parts());
        parts.sort(Comparator.comparing(StoredExpert.Part::file).thenComparingLong(StoredExpert.Part::offset));
        List<Span> spans = new ArrayList<>();
        for (StoredExpert.Part part : parts) {
            if (spans.isEmpty() || !spans.getLast().takes(part)) {
                spans.add(new Span(new ArrayList<>()));
            }
            spans.getLast().parts.add(part);
        }
        return spans;
    }

    /**
     * Brings an expert in.
     *
     * @param slot memory of its own, zero wherever its layout writes nothing
     * @throws RemoraException if it cannot be read or is damaged; the message names file, expert and tensor
     */
    SwiGlu read(StoredExpert expert, MemorySegment slot) {
        Weight[] weights = new Weight[expert.parts().size()];
        read(expert, (index, matrix) -> {
            // Each in its own region, whatever the order in the file: what is not written stays the same bytes.
            long at = expert.regionAt(index);
            MemorySegment region = slot.asSlice(at, expert.regionAt(index + 1) - at);
            Packing packing = matrix.packing(SegmentAllocator.slicingAllocator(region));
            weights[index] = packing.weight();
            packing.fill(0, weights[index].tiles());
        });
        return new SwiGlu(weights[0], weights[1], weights[2]);
    }

    /** Takes a matrix that was read; it is valid during the call. */
    interface Visitor {
        /** Called once for each index of {@link StoredExpert#parts}, in any order. */
        void matrix(int index, StoredMatrix matrix);
    }

    /**
     * Reads an expert.
     *
     * @throws RemoraException as the other method does
     */
    void read(StoredExpert expert, Visitor visitor) {
        for (Span span : spans(expert)) {
            MemorySegment bytes = read(expert, span);
            for (StoredExpert.Part part : span.parts) {
                MemorySegment elements = bytes.asSlice(part.offset() - span.from(), part.bytes());
                try {
                    visitor.matrix(expert.parts().indexOf(part), part.matrix().over(elements));
                } catch (CheckpointException e) {
                    throw new CheckpointException(
                            files.describe(part.file()) + ": " + expert + ", " + e.getMessage(), e);
                }
            }
        }
    }

    private MemorySegment read(StoredExpert expert, Span span) {
        CheckpointFile file = files.get(span.file());
        int alignment = file.alignment();
        long from = span.from() / alignment * alignment;
        long to = Math.ceilDiv(span.end(), alignment) * (long) alignment;
        int got;
        try {
            got = file.read(from, staging.asSlice(0, to - from));
        } catch (IOException e) {
            throw new CheckpointException(
                    place(expert, span, from) + ": cannot be read: "
                            + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage())
                            + ". Is the disk still there and healthy?",
                    e);
        }
        if (from + got < span.end()) {
            throw new CheckpointException(
                    place(expert, span, from + got) + ": expected bytes " + span.from() + " to " + span.end()
                            + ", found a file that ends before byte " + (from + got + 1)
                            + ". It was cut or replaced since the model was loaded; download it again.");
        }
        return staging.asSlice(span.from() - from, span.end() - span.from());
    }

    /** The first tensor of the span that is not whole if the file ends at {@code end}. */
    private String place(StoredExpert expert, Span span, long end) {
        StoredExpert.Part broken =
                span.parts.stream().filter(part -> part.end() > end).findFirst().orElseThrow();
        return files.describe(span.file()) + ": " + expert + ", " + broken.tensor();
    }
}
