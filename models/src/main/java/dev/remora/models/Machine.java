package dev.remora.models;

import dev.remora.core.MemoryLimits;
import dev.remora.core.kernel.VectorSupport;

/**
 * What the engine found on this machine and made of it.
 *
 * @param vectorBits width of the vectors in use; 0: the scalar kernels run
 * @param vectorReason why this width
 * @param unexpectedlyScalar true if the scalar kernels run although nobody asked for them; {@code vectorReason} names the
 *     cure
 * @param physicalCores cores that compute unless an option says otherwise; all processors where the machine does not tell
 * @param logicalCores processors that this process may use
 * @param availableBytes memory that this process can still take; {@link Long#MAX_VALUE} if unknown
 * @param memoryBoundBy what sets that figure: the machine, or a control group
 */
public record Machine(
        int vectorBits,
        String vectorReason,
        boolean unexpectedlyScalar,
        int physicalCores,
        int logicalCores,
        long availableBytes,
        String memoryBoundBy) {
    /** This machine, now. */
    public static Machine probe() {
        MemoryLimits memory = MemoryLimits.now();
        return new Machine(
                VectorSupport.BITS,
                VectorSupport.reason(),
                VectorSupport.unexpectedlyScalar(),
                Processors.physical(),
                Processors.logical(),
                memory.availableBytes(),
                memory.boundBy());
    }
}
