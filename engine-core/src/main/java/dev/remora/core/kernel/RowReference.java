package dev.remora.core.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The specification of {@link RowKernels}: same signatures, same order of every sum, no Vector API. */
final class RowReference {
    /** Chains of a sum over one row. 16, the lanes of the widest vectors, so that every width can keep the same order. */
    static final int LANES = 16;

    // Cephes expf (S. L. Moshier): ln 2 in two parts, and the minimax polynomial of (e^r - 1 - r) / r^2 on +-ln2/2.
    static final float LOG2_E = 1.442695f;
    static final float LN2_HIGH = 0.6933594f;
    static final float LN2_LOW = -2.1219444e-4f;
    static final float E5 = 1.9875691e-4f;
    static final float E4 = 0.0013981999f;
    static final float E3 = 0.008333452f;
    static final float E2 = 0.041665796f;
    static final float E1 = 0.16666666f;
    static final float E0 = 0.5f;

    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum.
    static final float ROUND = 0x1.8p23f;

    // e^x is a normal float between these two.
    static final float EXP_MIN = -87f;
    static final float EXP_MAX = 88f;

    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private RowReference() {}

    /** a * b + c, rounded once where the CPU can do that. */
    static float fma(float a, float b, float c) {
        return VectorSupport.FMA ? Math.fma(a, b, c) : a * b + c;
    }

    /** Sum of 16 partial sums in a fixed tree. */
    static float sum(float[] partial) {
        for (int step = LANES / 2; step > 0; step /= 2) {
            for (int i = 0; i < step; i++) {
                partial[i] += partial[i + step];
            }
        }
        return partial[0];
    }

    static void sumOfSquares(float[] x, int xAt, int n, float[] partial) {
        for (int lane = 0; lane < LANES; lane++) {
            float a = 0;
            for (int i = lane; i < n; i += LANES) {
                a = fma(x[xAt + i], x[xAt + i], a);
            }
            partial[lane] = a;
        }
    }

    static void normalize(float[] x, int xAt, float factor, float[] weight, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] = weight[i] * (x[xAt + i] * factor);
        }
    }

    static void add(float[] x, int xAt, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] += x[xAt + i];
        }
    }

    static void addScaled(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] = fma(factor, x[xAt + i], y[yAt + i]);
        }
    }

    static void scale(float factor, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] *= factor;
        }
    }

    static void swiGlu(float[] gate, int gateAt, float[] up, int upAt, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            float g = gate[gateAt + i];
            y[yAt + i] = g / (1f + exp(-g)) * up[upAt + i];
        }
    }

    static void expOfDifference(float[] x, int xAt, float shift, int n) {
        for (int i = 0; i < n; i++) {
            x[xAt + i] = exp(x[xAt + i] - shift);
        }
    }

    static float maximum(float[] x, int xAt, int n) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) {
            max = Math.max(max, x[xAt + i]);
        }
        return max;
    }

    static void partialSums(float[] x, int xAt, int n, float[] partial) {
        for (int lane = 0; lane < LANES; lane++) {
            float a = 0;
            for (int i = lane; i < n; i += LANES) {
                a += x[xAt + i];
            }
            partial[lane] = a;
        }
    }

    static void softmaxColumns(float[] x, int xAt, int rows, float[] state, int maxAt, int sumAt, int shrinkAt) {
        for (int lane = 0; lane < LANES; lane++) {
            float before = state[maxAt + lane];
            float max = before;
            for (int row = 0; row < rows; row++) {
                max = Math.max(max, x[xAt + row * LANES + lane]);
            }
            float shrink = exp(before - max);
            float sum = 0;
            for (int row = 0; row < rows; row++) {
                float e = exp(x[xAt + row * LANES + lane] - max);
                x[xAt + row * LANES + lane] = e;
                sum += e;
            }
            state[maxAt + lane] = max;
            state[shrinkAt + lane] = shrink;
            state[sumAt + lane] = fma(state[sumAt + lane], shrink, sum);
        }
    }

    static void toBf16(float[] x, int xAt, MemorySegment y, long yAt, int n) {
        for (int i = 0; i < n; i++) {
            y.set(BF16, yAt + 2L * i, (short) (bf16Bits(Float.floatToRawIntBits(x[xAt + i])) >>> 16));
        }
    }

    static void fromBf16(MemorySegment x, long xAt, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] = Float.intBitsToFloat(x.get(BF16, xAt + 2L * i) << 16);
        }
    }

    static void fromBf16Blocks(
            MemorySegment x, long xAt, int rowBytes, int rows, int n, float[] y, int yAt, int blockStride) {
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < n; i += Kernels.TILE) {
                int to = yAt + i / Kernels.TILE * blockStride + row * Kernels.TILE;
                fromBf16(x, xAt + (long) row * rowBytes + 2L * i, y, to, Kernels.TILE);
            }
        }
    }

    /** Rounds to nearest, ties to even, into the upper half. */
    static int bf16Bits(int bits) {
        return bits + 0x7fff + ((bits >>> 16) & 1);
    }

    static float exp(float x) {
        float clamped = Math.min(Math.max(x, EXP_MIN), EXP_MAX);
        float shifted = fma(clamped, LOG2_E, ROUND);
        float n = shifted - ROUND;
        float r = fma(n, -LN2_HIGH, clamped);
        r = fma(n, -LN2_LOW, r);
        float p = fma(E5, r, E4);
        p = fma(p, r, E3);
        p = fma(p, r, E2);
        p = fma(p, r, E1);
        p = fma(p, r, E0);
        float e = fma(p, r * r, r) + 1f;
        return Float.intBitsToFloat(Float.floatToRawIntBits(e) + (Float.floatToRawIntBits(shifted) << 23));
    }
}
