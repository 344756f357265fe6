package dev.remora.core;

/**
 * What a format does to the rows that it multiplies before it multiplies them: rounding them to fewer bits, for example.
 * {@link Linear} and {@link SwiGluGroups} apply it once for each row, not once for each tile or matrix. Stateless; weights
 * that share their input share their transformation.
 */
public interface InputTransform {
    /**
     * Transforms one row. A row's result depends on nothing but the row.
     *
     * @param y may be x, at the same place
     */
    void apply(float[] x, int xAt, float[] y, int yAt, int count);
}
