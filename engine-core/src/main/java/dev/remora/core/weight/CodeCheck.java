package dev.remora.core.weight;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Finds codes that are no numbers, eight bytes at a time. Such codes have ones in all bits of a mask: adding the lowest
 * bit of the mask then carries into the bit above it, the sign, and for no other code.
 *
 * @param mask the bits, repeated for each code of eight bytes
 * @param unit the lowest bit of the mask, repeated as well
 */
public record CodeCheck(long mask, long unit) {
    /** Accepts every code. */
    public static final CodeCheck NONE = new CodeCheck(0, 0);

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int STEP = 4096;

    /**
     * Where the first bad code is.
     *
     * @return the offset from {@code at} of eight bytes, or those that are left, that hold it; -1 if there is none
     */
    public long find(MemorySegment data, long at, long bytes) {
        long whole = bytes & -8;
        for (long from = 0; from < whole; from += STEP) {
            int count = (int) Math.min(STEP, whole - from);
            if (carries(data, at + from, count) != 0) {
                long offset = from;
                while (carries(data, at + offset, 8) == 0) {
                    offset += 8;
                }
                return offset;
            }
        }
        return carry(rest(data, at + whole, (int) (bytes - whole))) == 0 ? -1 : whole;
    }

    /** A method of its own, because short methods that are called often are compiled soon. */
    private long carries(MemorySegment data, long at, int bytes) {
        long carries = 0;
        for (int i = 0; i < bytes; i += 8) {
            carries |= carry(data.get(LONG, at + i));
        }
        return carries;
    }

    private long carry(long codes) {
        return (codes & mask) + unit & mask + unit;
    }

    private static long rest(MemorySegment data, long at, int bytes) {
        long codes = 0;
        for (int i = 0; i < bytes; i++) {
            codes |= (data.get(ValueLayout.JAVA_BYTE, at + i) & 0xffL) << (8 * i);
        }
        return codes;
    }
}
