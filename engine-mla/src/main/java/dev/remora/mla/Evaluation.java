package dev.remora.mla;

/** Decides, for each sequence of a batch apart, how its rows are evaluated. The answers agree up to rounding. */
@FunctionalInterface
public interface Evaluation {
    /** Never re-expands the past. */
    Evaluation ABSORBED = (config, cached, rows) -> false;

    /** Always re-expands the past. */
    Evaluation EXPANDED = (config, cached, rows) -> true;

    /**
     * By cost: with T positions cached and N new rows, expanding saves attention work in proportion to N (T + N/2) and
     * costs the expansion of T old rows; the N new ones cost the same either way.
     */
    Evaluation CHEAPEST =
            (config, cached, rows) -> cached == 0 || rows * (cached + rows / 2.0) > config.breakEvenRows() * cached;

    /**
     * True for the expanded evaluation.
     *
     * @param cached positions of the sequence before this step
     * @param rows   its rows in this step
     */
    boolean expands(MlaConfig config, int cached, int rows);
}
