package dev.remora.models.eval;

/**
 * How evenly work is spread over the experts of a layer.
 *
 * @param maxOverMean load of the busiest expert over the mean load; 1: even
 * @param variation   coefficient of variation: standard deviation over mean; 0: even
 * @param entropy     of the shares, over that of even ones: 1: even, 0: one expert does everything
 * @param idle        experts without any work
 */
public record Balance(double maxOverMean, double variation, double entropy, int idle) {
    /** Of these loads; even where there is no load at all. */
    public static Balance of(long[] load) {
        double sum = 0;
        double max = 0;
        int idle = 0;
        for (long rows : load) {
            sum += rows;
            max = Math.max(max, (double) rows);
            idle += rows == 0 ? 1 : 0;
        }
        if (sum == 0) {
            return new Balance(1, 0, 1, idle);
        }
        double mean = sum / load.length;
        double squares = 0;
        for (long rows : load) {
            squares += (rows - mean) * (rows - mean);
        }
        double entropy = load.length == 1 ? 1 : Information.entropy(load) / Information.log2(load.length);
        return new Balance(max / mean, Math.sqrt(squares / load.length) / mean, entropy, idle);
    }
}
