package dev.remora.models.eval;

import java.util.SplittableRandom;

/**
 * How much a choice of experts tells about the label of its text: the mutual information I(L;E) of a table of counts, in
 * bits.
 *
 * <p>A table of few counts shows information where there is none. Two remedies stand beside the plain estimate. Miller and
 * Madow (1955) subtract the bias of independent samples: with m cells in use, an entropy is short of (m - 1) / (2 N ln 2)
 * bits, so I loses (m_LE - m_L - m_E + 1) / (2 N ln 2). But the tokens of a text are not independent. So labels are also
 * shuffled among whole texts, which keeps what belongs to texts and breaks what belongs to labels: the mean over shuffles
 * is what chance alone gives.
 *
 * @param bits         plain estimate, from the shares counted
 * @param corrected    after Miller and Madow; may be slightly negative
 * @param shuffled     mean plain estimate over shuffles; 0 if there were none
 * @param p            share of shuffles that reach {@code bits}, this one counted: 1 / (shuffles + 1) at least
 * @param labelEntropy H(L), what a choice could tell at most
 */
public record Information(double bits, double corrected, double shuffled, double p, double labelEntropy) {
    private static final double LN_2 = Math.log(2);

    /**
     * Of texts with labels.
     *
     * @param counts   (texts, experts) choices of an expert by the tokens of a text
     * @param labels   for each text its label, from 0
     * @param shuffles how often labels are shuffled
     * @param seed     of the shuffles
     */
    static Information of(long[][] counts, int[] labels, int shuffles, long seed) {
        long[][] table = table(counts, labels);
        double bits = mutual(table);
        int[] order = labels.clone();
        SplittableRandom random = new SplittableRandom(seed);
        double sum = 0;
        int reached = 1;
        for (int i = 0; i < shuffles; i++) {
            shuffle(order, random);
            double chance = mutual(table(counts, order));
            sum += chance;
            reached += chance >= bits ? 1 : 0;
        }
        return new Information(
                bits,
                bits - bias(table),
                shuffles == 0 ? 0 : sum / shuffles,
                reached / (shuffles + 1.0),
                entropy(rows(table)));
    }

    /** What is left of the plain estimate beyond chance, not below 0. */
    public double excess() {
        return Math.max(0, bits - shuffled);
    }

    /** {@link #excess} as a share of the label's entropy; 0 if there is only one label. */
    public double share() {
        return labelEntropy > 0 ? excess() / labelEntropy : 0;
    }

    /** (labels, experts). */
    private static long[][] table(long[][] counts, int[] labels) {
        int used = 0;
        for (int label : labels) {
            used = Math.max(used, label + 1);
        }
        long[][] table = new long[used][counts.length == 0 ? 0 : counts[0].length];
        for (int text = 0; text < counts.length; text++) {
            long[] row = table[labels[text]];
            for (int expert = 0; expert < row.length; expert++) {
                row[expert] += counts[text][expert];
            }
        }
        return table;
    }

    /** Fisher and Yates. */
    private static void shuffle(int[] values, SplittableRandom random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int kept = values[i];
            values[i] = values[j];
            values[j] = kept;
        }
    }

    /** Mutual information of the two sides of a table, in bits, from the shares as counted; 0 for an empty one. */
    static double mutual(long[][] table) {
        long[] rows = rows(table);
        long[] columns = columns(table);
        double n = sum(rows);
        double bits = 0;
        for (int row = 0; row < rows.length; row++) {
            for (int column = 0; column < columns.length; column++) {
                double count = table[row][column];
                if (count > 0) {
                    bits += count / n * log2(count * n / ((double) rows[row] * columns[column]));
                }
            }
        }
        return Math.max(0, bits);
    }

    /** How much {@link #mutual} overestimates, were the counts of independent samples (Miller and Madow). */
    static double bias(long[][] table) {
        long[] rows = rows(table);
        double n = sum(rows);
        int cells = 0;
        for (long[] row : table) {
            cells += used(row);
        }
        return n == 0 ? 0 : (cells - used(rows) - used(columns(table)) + 1) / (2 * n * LN_2);
    }

    /** Entropy of shares, in bits. */
    static double entropy(long[] counts) {
        double n = sum(counts);
        double bits = 0;
        for (long count : counts) {
            if (count > 0) {
                bits -= count / n * log2(count / n);
            }
        }
        return bits;
    }

    static double log2(double x) {
        return Math.log(x) / LN_2;
    }

    private static long[] rows(long[][] table) {
        long[] sums = new long[table.length];
        for (int row = 0; row < sums.length; row++) {
            sums[row] = (long) sum(table[row]);
        }
        return sums;
    }

    private static long[] columns(long[][] table) {
        long[] sums = new long[table.length == 0 ? 0 : table[0].length];
        for (long[] row : table) {
            for (int column = 0; column < sums.length; column++) {
                sums[column] += row[column];
            }
        }
        return sums;
    }

    private static double sum(long[] counts) {
        double sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }

    private static int used(long[] counts) {
        int used = 0;
        for (long count : counts) {
            used += count > 0 ? 1 : 0;
        }
        return used;
    }
}
