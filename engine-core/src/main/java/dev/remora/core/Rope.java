package dev.remora.core;

/**
 * Rotary position embedding in the interleaved form of the DeepSeek family: the pair (2i, 2i + 1) is turned by position
 * times frequency i (arXiv:2104.09864). Cosine and sine are computed in double, once per position and step.
 */
public final class Rope {
    private final double[] frequencies;
    private final double magnitude;

    /**
     * @param dimension values that are rotated; even
     * @param theta     base of the frequencies
     */
    public Rope(int dimension, double theta, RopeScaling scaling) {
        this.frequencies = scaling.frequencies(dimension, theta);
        this.magnitude = scaling.rotationMagnitude();
    }

    /** Values of a table row: cosine and sine of each pair. */
    public int tableWidth() {
        return 2 * frequencies.length;
    }

    /** Writes cosine and sine for one position, interleaved. */
    public void fillTable(int position, float[] table, int tableAt) {
        for (int i = 0; i < frequencies.length; i++) {
            double angle = position * frequencies[i];
            table[tableAt + 2 * i] = (float) (Math.cos(angle) * magnitude);
            table[tableAt + 2 * i + 1] = (float) (Math.sin(angle) * magnitude);
        }
    }

    /** Rotates {@link #tableWidth} values of x in place, by the position of the table row. */
    public void rotate(float[] x, int xAt, float[] table, int tableAt) {
        for (int i = 0; i < 2 * frequencies.length; i += 2) {
            float cos = table[tableAt + i];
            float sin = table[tableAt + i + 1];
            float even = x[xAt + i];
            float odd = x[xAt + i + 1];
            x[xAt + i] = even * cos - odd * sin;
            x[xAt + i + 1] = even * sin + odd * cos;
        }
    }
}
