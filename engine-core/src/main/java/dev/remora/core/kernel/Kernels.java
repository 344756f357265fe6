package dev.remora.core.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The door to the kernels on f32 rows: the layers call this class and never ask which implementation runs. All arguments
 * named {@code ...At} are element offsets; nothing is checked beyond the arrays' own bounds and nothing is allocated.
 */
public final class Kernels {
    /** Columns of a weight tile and of its panels. */
    public static final int TILE = 64;

    /** Rows of {@link #multiplyWide} come in multiples of this. */
    public static final int GROUP = 4;

    /** Lanes of the widest vectors. */
    public static final int LANES = RowReference.LANES;

    private Kernels() {}

    /**
     * y[r][c] += sum over i &lt; k of x[r][i] * panel[i][c], for n rows and {@link #TILE} columns; i ascends, starting from
     * what y holds. No row of y may be given twice.
     *
     * @param panel   (k, 64) f32 from byte panelAt, without gaps; native, aligned to 64 bytes for speed
     * @param xAt     offsets of the rows in x; row r is x[xAt[r] + xColumn ...], (k)
     * @param yAt     offsets of the rows in y; row r is y[yAt[r] + yColumn ...], (64)
     */
    public static void multiplyTile(
            MemorySegment panel,
            long panelAt,
            int k,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int n) {
        if (VectorSupport.active()) {
            TileKernels.multiply(panel, panelAt, k, x, xAt, xColumn, y, yAt, yColumn, n);
        } else {
            TileReference.multiply(panel, panelAt, k, x, xAt, xColumn, y, yAt, yColumn, n);
        }
    }

    /**
     * As {@link #multiplyTile}, but from a panel on the heap, and y[r][c] += scale[c] * sum: the sum starts from zero.
     *
     * @param panel (k, 64) from panelAt
     * @param scale (64)
     */
    public static void multiplyTileScaled(
            float[] panel,
            int panelAt,
            int k,
            float[] scale,
            float[] x,
            int[] xAt,
            int xColumn,
            float[] y,
            int[] yAt,
            int yColumn,
            int n) {
        if (VectorSupport.active()) {
            ScaledTileKernels.multiply(panel, panelAt, k, scale, x, xAt, xColumn, y, yAt, yColumn, n);
        } else {
            TileReference.multiplyScaled(panel, panelAt, k, scale, x, xAt, xColumn, y, yAt, yColumn, n);
        }
    }

    /**
     * y[r][c] += sum over i &lt; 64 of x[r][i] * panel[i][c], for c &lt; 16; i ascends, starting from what y holds.
     *
     * @param panel (64, 16)
     * @param x     (rows, 64)
     * @param rows  a multiple of 16
     * @param y     (rows, 16)
     */
    public static void multiplyNarrow(float[] panel, int panelAt, float[] x, int xAt, int rows, float[] y, int yAt) {
        if (VectorSupport.active()) {
            AttentionKernels.multiplyNarrow(panel, panelAt, x, xAt, rows, y, yAt);
        } else {
            AttentionReference.multiplyNarrow(panel, panelAt, x, xAt, rows, y, yAt);
        }
    }

    /**
     * y[r][c] += sum over i &lt; k of x[i][r] * panel[i][c], for c &lt; 64; i ascends, starting from what y holds.
     *
     * @param panel (k, 64)
     * @param x     (k, 16), of which the first {@code rows} columns are used
     * @param rows  a multiple of 4, at most 16
     * @param y     (rows, 64)
     */
    public static void multiplyWide(
            float[] panel, int panelAt, int k, float[] x, int xAt, int rows, float[] y, int yAt) {
        if (VectorSupport.active()) {
            AttentionKernels.multiplyWide(panel, panelAt, k, x, xAt, rows, y, yAt);
        } else {
            AttentionReference.multiplyWide(panel, panelAt, k, x, xAt, rows, y, yAt);
        }
    }

    /**
     * One step of the online softmax of 16 columns (arXiv:1805.02867): takes the rows of x into the maxima, turns them
     * into e^(x - max), and the sums into sum * shrink + the new terms, where shrink is e^(old max - new max).
     *
     * @param x        (rows, 16)
     * @param state    16 maxima, 16 sums, and 16 factors by which the caller shrinks what it summed before
     */
    public static void softmaxColumns(float[] x, int xAt, int rows, float[] state, int maxAt, int sumAt, int shrinkAt) {
        if (VectorSupport.active()) {
            RowKernels.softmaxColumns(x, xAt, rows, state, maxAt, sumAt, shrinkAt);
        } else {
            RowReference.softmaxColumns(x, xAt, rows, state, maxAt, sumAt, shrinkAt);
        }
    }

    /**
     * y = weight * x / sqrt(mean(x^2) + epsilon), of n values.
     *
     * @param partial 16 floats of scratch
     */
    public static void rmsNorm(
            float[] x, int xAt, float[] weight, double epsilon, float[] y, int yAt, int n, float[] partial) {
        if (VectorSupport.active()) {
            RowKernels.sumOfSquares(x, xAt, n, partial);
        } else {
            RowReference.sumOfSquares(x, xAt, n, partial);
        }
        float factor = (float) (1 / Math.sqrt(RowReference.sum(partial) / (double) n + epsilon));
        if (VectorSupport.active()) {
            RowKernels.normalize(x, xAt, factor, weight, y, yAt, n);
        } else {
            RowReference.normalize(x, xAt, factor, weight, y, yAt, n);
        }
    }

    /** y += x, of n values. */
    public static void add(float[] x, int xAt, float[] y, int yAt, int n) {
        if (VectorSupport.active()) {
            RowKernels.add(x, xAt, y, yAt, n);
        } else {
            RowReference.add(x, xAt, y, yAt, n);
        }
    }

    /** y += factor * x, of n values, rounded once. */
    public static void addScaled(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
        if (VectorSupport.active()) {
            RowKernels.addScaled(factor, x, xAt, y, yAt, n);
        } else {
            RowReference.addScaled(factor, x, xAt, y, yAt, n);
        }
    }

    /** y *= factor, of n values. */
    public static void scale(float factor, float[] y, int yAt, int n) {
        if (VectorSupport.active()) {
            RowKernels.scale(factor, y, yAt, n);
        } else {
            RowReference.scale(factor, y, yAt, n);
        }
    }

    /** y = silu(gate) * up, with silu(g) = g / (1 + e^-g), of n values; y may be gate or up. */
    public static void swiGlu(float[] gate, int gateAt, float[] up, int upAt, float[] y, int yAt, int n) {
        if (VectorSupport.active()) {
            RowKernels.swiGlu(gate, gateAt, up, upAt, y, yAt, n);
        } else {
            RowReference.swiGlu(gate, gateAt, up, upAt, y, yAt, n);
        }
    }

    /** The largest of n values; negative infinity if n is 0. */
    public static float maximum(float[] x, int xAt, int n) {
        return VectorSupport.active() ? RowKernels.maximum(x, xAt, n) : RowReference.maximum(x, xAt, n);
    }

    /**
     * x = e^(x - shift), of n values that are at most shift, give or take rounding; returns their sum.
     *
     * @param partial 16 floats of scratch
     */
    public static float expAndSum(float[] x, int xAt, float shift, int n, float[] partial) {
        if (VectorSupport.active()) {
            RowKernels.expOfDifference(x, xAt, shift, n);
            RowKernels.partialSums(x, xAt, n, partial);
        } else {
            RowReference.expOfDifference(x, xAt, shift, n);
            RowReference.partialSums(x, xAt, n, partial);
        }
        return RowReference.sum(partial);
    }

    /** a * b + c, rounded once where the CPU can do that. */
    public static float fma(float a, float b, float c) {
        return RowReference.fma(a, b, c);
    }

    /** e^x with the bits of the vector kernels; e^-87 below -87 and e^88 above 88. */
    public static float exp(float x) {
        return RowReference.exp(x);
    }

    /** Rounds n values to BF16, to nearest, ties to even. */
    public static void toBf16(float[] x, int xAt, MemorySegment y, long yByte, int n) {
        if (VectorSupport.active()) {
            RowKernels.toBf16(x, xAt, y, yByte, n);
        } else {
            RowReference.toBf16(x, xAt, y, yByte, n);
        }
    }

    /** Widens n BF16 values; exact. */
    public static void fromBf16(MemorySegment x, long xByte, float[] y, int yAt, int n) {
        if (VectorSupport.active()) {
            RowKernels.fromBf16(x, xByte, y, yAt, n);
        } else {
            RowReference.fromBf16(x, xByte, y, yAt, n);
        }
    }

    /**
     * Widens rows of BF16 values into blocks of 64 columns; exact.
     *
     * @param x           (rows, n), {@code rowBytes} apart
     * @param y           (blocks, rows, 64), the blocks {@code blockStride} apart; columns from n on are left alone
     */
    public static void fromBf16Blocks(
            MemorySegment x, long xByte, int rowBytes, int rows, int n, float[] y, int yAt, int blockStride) {
        int whole = n - n % TILE;
        if (VectorSupport.active()) {
            RowKernels.fromBf16Blocks(x, xByte, rowBytes, rows, whole, y, yAt, blockStride);
        } else {
            RowReference.fromBf16Blocks(x, xByte, rowBytes, rows, whole, y, yAt, blockStride);
        }
        for (int row = 0; row < rows && whole < n; row++) {
            long from = xByte + (long) row * rowBytes + 2L * whole;
            fromBf16(x, from, y, yAt + whole / TILE * blockStride + row * TILE, n - whole);
        }
    }
}
