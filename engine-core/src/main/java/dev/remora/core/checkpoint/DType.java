package dev.remora.core.checkpoint;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The element types of safetensors whose elements fill whole bytes. All of them parse; which ones can be weights is
 * decided where weights are read.
 */
public enum DType {
    F64(8),
    F32(4),
    F16(2),
    /** The upper half of an F32. */
    BF16(2),
    /** Sign, 4 exponent bits, 3 mantissa bits; no infinity (E4M3FN). */
    F8_E4M3(1),
    F8_E5M2(1),
    /** A power of two, used as a scale. */
    F8_E8M0(1),
    /** Two F32: real and imaginary part. */
    C64(8),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    BOOL(1);

    private final int byteSize;

    DType(int byteSize) {
        this.byteSize = byteSize;
    }

    /** Bytes of one element. */
    public int byteSize() {
        return byteSize;
    }

    /** The type of this name in a safetensors header, for example {@code "BF16"}. */
    public static Optional<DType> of(String name) {
        return Arrays.stream(values()).filter(d -> d.name().equals(name)).findFirst();
    }

    /** All names, for error messages. */
    static String names() {
        return Arrays.stream(values()).map(DType::name).collect(Collectors.joining(", "));
    }
}
