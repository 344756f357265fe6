package dev.remora.models.experts;

import dev.remora.core.CheckpointException;
import dev.remora.core.Packing;
import dev.remora.core.RemoraException;
import dev.remora.core.StoredMatrix;
import dev.remora.core.Weight;
import dev.remora.core.checkpoint.CheckpointFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** Reads matrices of experts into a buffer of its own and repacks them into slots. One thread each. */
final class ExpertReader {
    private final ExpertFiles files;
    private final MemorySegment staging;

    /**
     * @param arena        that will own the buffer
     * @param stagingBytes the largest {@link #stagingBytes(StoredExpert, int)}
     */
    ExpertReader(ExpertFiles files, Arena arena, long stagingBytes) {
        this.files = files;
        this.staging = arena.allocate(stagingBytes, Math.max(64, files.alignment()));
    }

    /** Bytes of a buffer that takes any matrix of an expert, with what lies before and after it in its blocks. */
    static long stagingBytes(StoredExpert expert, int alignment) {
        long largest = 0;
        for (StoredExpert.Part part : expert.parts()) {
            largest = Math.max(largest, Math.ceilDiv(part.bytes(), alignment) * (long) alignment + alignment);
        }
        return largest;
    }

    /**
     * Brings a matrix in.
     *
     * @param index  of {@link StoredExpert#parts}
     * @param memory of its own, zero wherever its layout writes nothing
     * @throws RemoraException if it cannot be read or is damaged; the message names file, expert and tensor
     */
    Weight read(StoredExpert expert, int index, MemorySegment memory) {
        Packing packing = read(expert, index).packing(SegmentAllocator.slicingAllocator(memory));
        Weight weight = packing.weight();
        try {
            packing.fill(0, weight.tiles());
        } catch (CheckpointException e) {
            StoredExpert.Part part = expert.parts().get(index);
            throw new CheckpointException(files.describe(part.file()) + ": " + expert + ", " + e.getMessage(), e);
        }
        return weight;
    }

    /**
     * Reads a matrix, which is valid until the next one is read.
     *
     * @param index of {@link StoredExpert#parts}
     * @throws RemoraException if it cannot be read; the message names file, expert and tensor
     */
    StoredMatrix read(StoredExpert expert, int index) {
        StoredExpert.Part part = expert.parts().get(index);
        CheckpointFile file = files.get(part.file());
        int alignment = file.alignment();
        long from = part.offset() / alignment * alignment;
        long to = Math.ceilDiv(part.end(), alignment) * (long) alignment;
        int got;
        try {
            got = file.read(from, staging.asSlice(0, to - from));
        } catch (IOException e) {
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new CheckpointException(
                    place(expert, part) + ": cannot be read: " + reason + ". Is the disk still there and healthy?", e);
        }
        if (from + got < part.end()) {
            throw new CheckpointException(place(expert, part) + ": expected bytes " + part.offset() + " to "
                    + part.end() + ", found a file that ends before byte " + (from + got + 1)
                    + ". It was cut or replaced since the model was loaded; download it again.");
        }
        return part.matrix().over(staging.asSlice(part.offset() - from, part.bytes()));
    }

    private String place(StoredExpert expert, StoredExpert.Part part) {
        return files.describe(part.file()) + ": " + expert + ", " + part.tensor();
    }
}
