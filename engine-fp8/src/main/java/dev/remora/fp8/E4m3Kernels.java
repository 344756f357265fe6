package dev.remora.fp8;

import static dev.remora.core.kernel.VectorShapes.F;
import static dev.remora.core.kernel.VectorShapes.I;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The encoding of {@link E4m3} on the Vector API. */
final class E4m3Kernels {
    private static final int L = F.length();
    /** The narrowest vector of bytes is one of 8; four lanes leave nothing that would fill it. */
    private static final boolean WIDE = L >= 8;

    private static final VectorSpecies<Byte> CODES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * L)));

    private E4m3Kernels() {}

    /** Bits of the largest magnitude. As integers, magnitudes have the order of their numbers, infinity and NaN last. */
    static int largestBits(float[] x, int at, int count) {
        IntVector most = IntVector.zero(I);
        int i = 0;
        for (; i + L <= count; i += L) {
            most = most.max(
                    FloatVector.fromArray(F, x, at + i).reinterpretAsInts().and(E4m3.MAGNITUDE));
        }
        return Math.max(most.reduceLanes(VectorOperators.MAX), E4m3Reference.largestBits(x, at + i, count - i));
    }

    /** As {@link E4m3#magnitudeCode}, lane by lane. */
    static void encode(float[] x, int at, int count, float scale, byte[] codes, int codesAt) {
        int i = 0;
        if (WIDE) {
            FloatVector divisor = FloatVector.broadcast(F, scale);
            for (; i + L <= count; i += L) {
                IntVector bits =
                        FloatVector.fromArray(F, x, at + i).div(divisor).reinterpretAsInts();
                IntVector magnitude = bits.and(E4m3.MAGNITUDE).min(E4m3.LARGEST);
                IntVector exponent = magnitude.and(E4m3.EXPONENT).max(E4m3.SMALLEST_EXPONENT);
                IntVector power = exponent.add(E4m3.TWENTY);
                IntVector mantissa = magnitude
                        .reinterpretAsFloats()
                        .add(power.reinterpretAsFloats())
                        .reinterpretAsInts()
                        .sub(power);
                IntVector code = exponent.sub(E4m3.SMALLEST_EXPONENT)
                        .lanewise(VectorOperators.ASHR, 20)
                        .add(mantissa)
                        .or(bits.lanewise(VectorOperators.LSHR, 24).and(0x80));
                ((ByteVector) code.convertShape(VectorOperators.I2B, CODES, 0)).intoArray(codes, codesAt + i);
            }
        }
        E4m3Reference.encode(x, at + i, count - i, scale, codes, codesAt + i);
    }

    /** As {@link E4m3Reference#round}, lane by lane. */
    static void round(float[] x, int at, int count, float scale, float[] y, int yAt) {
        FloatVector factor = FloatVector.broadcast(F, scale);
        int i = 0;
        for (; i + L <= count; i += L) {
            IntVector bits = FloatVector.fromArray(F, x, at + i).div(factor).reinterpretAsInts();
            IntVector magnitude = bits.and(E4m3.MAGNITUDE).min(E4m3.LARGEST);
            FloatVector power = magnitude
                    .and(E4m3.EXPONENT)
                    .max(E4m3.SMALLEST_EXPONENT)
                    .add(E4m3.TWENTY)
                    .reinterpretAsFloats();
            magnitude
                    .reinterpretAsFloats()
                    .add(power)
                    .sub(power)
                    .reinterpretAsInts()
                    .or(bits.and(E4m3.SIGN))
                    .reinterpretAsFloats()
                    .mul(factor)
                    .intoArray(y, yAt + i);
        }
        E4m3Reference.round(x, at + i, count - i, scale, y, yAt + i);
    }
}
