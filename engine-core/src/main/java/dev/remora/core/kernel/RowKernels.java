package dev.remora.core.kernel;

import static dev.remora.core.kernel.VectorShapes.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Work on one row: norms, activations, softmax parts. Tails shorter than a vector go to the scalar twin. */
final class RowKernels {
    private static final int L = F.length();
    private static final int LANES = RowReference.LANES;
    private static final VectorSpecies<Short> HALF =
            VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));

    private RowKernels() {}

    static void sumOfSquares(float[] x, int xAt, int n, float[] partial) {
        int whole = n - n % LANES;
        for (int lane = 0; lane < LANES; lane += L) {
            FloatVector a = FloatVector.zero(F);
            for (int i = lane; i < whole; i += LANES) {
                FloatVector v = FloatVector.fromArray(F, x, xAt + i);
                a = v.fma(v, a);
            }
            a.intoArray(partial, lane);
        }
        for (int i = whole; i < n; i++) {
            partial[i - whole] = Math.fma(x[xAt + i], x[xAt + i], partial[i - whole]);
        }
    }

    static void partialSums(float[] x, int xAt, int n, float[] partial) {
        int whole = n - n % LANES;
        for (int lane = 0; lane < LANES; lane += L) {
            FloatVector a = FloatVector.zero(F);
            for (int i = lane; i < whole; i += LANES) {
                // The loaded vector is the receiver: C2 knows its class, but not that of a sum that comes around the
                // loop.
                a = FloatVector.fromArray(F, x, xAt + i).add(a);
            }
            a.intoArray(partial, lane);
        }
        for (int i = whole; i < n; i++) {
            partial[i - whole] += x[xAt + i];
        }
    }

    static float maximum(float[] x, int xAt, int n) {
        FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i + L <= n; i += L) {
            max = FloatVector.fromArray(F, x, xAt + i).max(max);
        }
        return Math.max(max.reduceLanes(VectorOperators.MAX), RowReference.maximum(x, xAt + i, n - i));
    }

    static void normalize(float[] x, int xAt, float factor, float[] weight, float[] y, int yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, xAt + i).mul(factor);
            FloatVector.fromArray(F, weight, i).mul(v).intoArray(y, yAt + i);
        }
        for (; i < n; i++) {
            y[yAt + i] = weight[i] * (x[xAt + i] * factor);
        }
    }

    static void add(float[] x, int xAt, float[] y, int yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector.fromArray(F, y, yAt + i)
                    .add(FloatVector.fromArray(F, x, xAt + i))
                    .intoArray(y, yAt + i);
        }
        RowReference.add(x, xAt + i, y, yAt + i, n - i);
    }

    static void addScaled(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            // The vector that a method is called on is loaded in the same turn: C2 then knows its class and never boxes
            // it.
            FloatVector.fromArray(F, x, xAt + i)
                    .fma(FloatVector.broadcast(F, factor), FloatVector.fromArray(F, y, yAt + i))
                    .intoArray(y, yAt + i);
        }
        RowReference.addScaled(factor, x, xAt + i, y, yAt + i, n - i);
    }

    static void scale(float factor, float[] y, int yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector.fromArray(F, y, yAt + i).mul(factor).intoArray(y, yAt + i);
        }
        RowReference.scale(factor, y, yAt + i, n - i);
    }

    static void swiGlu(float[] gate, int gateAt, float[] up, int upAt, float[] y, int yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector g = FloatVector.fromArray(F, gate, gateAt + i);
            g.div(exp(g.neg()).add(1f))
                    .mul(FloatVector.fromArray(F, up, upAt + i))
                    .intoArray(y, yAt + i);
        }
        RowReference.swiGlu(gate, gateAt + i, up, upAt + i, y, yAt + i, n - i);
    }

    static void expOfDifference(float[] x, int xAt, float shift, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            exp(FloatVector.fromArray(F, x, xAt + i).sub(shift)).intoArray(x, xAt + i);
        }
        RowReference.expOfDifference(x, xAt + i, shift, n - i);
    }

    static void softmaxColumns(float[] x, int xAt, int rows, float[] state, int maxAt, int sumAt, int shrinkAt) {
        for (int lane = 0; lane < LANES; lane += L) {
            FloatVector max = FloatVector.fromArray(F, state, maxAt + lane);
            for (int row = 0; row < rows; row++) {
                max = FloatVector.fromArray(F, x, xAt + row * LANES + lane).max(max);
            }
            exp(FloatVector.fromArray(F, state, maxAt + lane).sub(max)).intoArray(state, shrinkAt + lane);
            max.intoArray(state, maxAt + lane);
            FloatVector sum = FloatVector.zero(F);
            for (int row = 0; row < rows; row++) {
                int at = xAt + row * LANES + lane;
                FloatVector e = exp(FloatVector.fromArray(F, x, at).sub(max));
                e.intoArray(x, at);
                sum = e.add(sum);
            }
            FloatVector.fromArray(F, state, sumAt + lane)
                    .fma(FloatVector.fromArray(F, state, shrinkAt + lane), sum)
                    .intoArray(state, sumAt + lane);
        }
    }

    static void toBf16(float[] x, int xAt, MemorySegment y, long yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            IntVector bits = FloatVector.fromArray(F, x, xAt + i).reinterpretAsInts();
            bits.lanewise(VectorOperators.LSHR, 16)
                    .and(1)
                    .add(bits)
                    .add(0x7fff)
                    .lanewise(VectorOperators.LSHR, 16)
                    .convertShape(VectorOperators.I2S, HALF, 0)
                    .reinterpretAsShorts()
                    .intoMemorySegment(y, yAt + 2L * i, ByteOrder.LITTLE_ENDIAN);
        }
        RowReference.toBf16(x, xAt + i, y, yAt + 2L * i, n - i);
    }

    static void fromBf16(MemorySegment x, long xAt, float[] y, int yAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            ShortVector.fromMemorySegment(HALF, x, xAt + 2L * i, ByteOrder.LITTLE_ENDIAN)
                    .convertShape(VectorOperators.S2I, VectorShapes.I, 0)
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(y, yAt + i);
        }
        RowReference.fromBf16(x, xAt + 2L * i, y, yAt + i, n - i);
    }

    /** Row after row, in the order of memory, for whole blocks of 64 columns. */
    static void fromBf16Blocks(
            MemorySegment x, long xAt, int rowBytes, int rows, int n, float[] y, int yAt, int blockStride) {
        for (int row = 0; row < rows; row++) {
            long from = xAt + (long) row * rowBytes;
            int to = yAt + row * Kernels.TILE;
            for (int done = 0; done < n; done += Kernels.TILE) {
                for (int i = 0; i < Kernels.TILE; i += L) {
                    ShortVector.fromMemorySegment(HALF, x, from + 2L * i, ByteOrder.LITTLE_ENDIAN)
                            .convertShape(VectorOperators.S2I, VectorShapes.I, 0)
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .intoArray(y, to + i);
                }
                from += 2L * Kernels.TILE;
                to += blockStride;
            }
        }
    }

    /** As {@link RowReference#exp}. */
    private static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(RowReference.EXP_MIN).min(RowReference.EXP_MAX);
        FloatVector shifted = clamped.fma(
                FloatVector.broadcast(F, RowReference.LOG2_E), FloatVector.broadcast(F, RowReference.ROUND));
        FloatVector n = shifted.sub(RowReference.ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(F, -RowReference.LN2_HIGH), clamped);
        r = n.fma(FloatVector.broadcast(F, -RowReference.LN2_LOW), r);
        FloatVector p = r.fma(FloatVector.broadcast(F, RowReference.E5), FloatVector.broadcast(F, RowReference.E4));
        p = p.fma(r, FloatVector.broadcast(F, RowReference.E3));
        p = p.fma(r, FloatVector.broadcast(F, RowReference.E2));
        p = p.fma(r, FloatVector.broadcast(F, RowReference.E1));
        p = p.fma(r, FloatVector.broadcast(F, RowReference.E0));
        FloatVector e = p.fma(r.mul(r), r).add(1f);
        return e.reinterpretAsInts()
                .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
                .reinterpretAsFloats();
    }
}
