package dev.remora.bench.support;

import java.util.Locale;
import java.util.stream.IntStream;

/** Comparison of results with their specification. */
public final class Check {
    private Check() {}

    /**
     * What rounding may do to an f32 sum, whatever its order: for n terms it errs, but for rare luck, by at most 8 sqrt(n)
     * 2^-24 of the sum of their magnitudes (Higham and Mary, SIAM J. Sci. Comput. 41, 2019, lambda = 8).
     */
    public static double rounding(double terms) {
        return 8 * Math.sqrt(terms) * 0x1p-24;
    }

    /**
     * Two numbers that may differ by rounding.
     *
     * @throws IllegalStateException if they differ by more; NaN equals nothing
     */
    public static void close(String name, int row, int col, double found, double expected, double tolerance) {
        if (!(Math.abs(found - expected) <= tolerance)) {
            throw new IllegalStateException(String.format(
                    Locale.ROOT,
                    "%s: expected %.9g at (%d, %d), give or take %.3g, found %.9g: it is wrong, so it is not timed",
                    name,
                    expected,
                    row,
                    col,
                    tolerance,
                    found));
        }
    }

    /** Up to {@code most} of the indices below n, evenly spread, the first and the last among them. */
    static int[] sample(int n, int most) {
        int count = Math.min(n, most);
        return IntStream.range(0, count)
                .map(i -> count == 1 ? 0 : (int) ((long) i * (n - 1) / (count - 1)))
                .toArray();
    }
}
