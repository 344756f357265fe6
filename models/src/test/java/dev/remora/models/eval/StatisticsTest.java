package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StatisticsTest {
    private static final double EXACT = 1e-12;

    @Test
    void twoExpertsForTwoLabelsTellOneBit() {
        assertEquals(1, Information.mutual(new long[][] {{8, 0}, {0, 8}}), EXACT);
    }

    @Test
    void independentSidesTellNothing() {
        assertEquals(0, Information.mutual(new long[][] {{2, 4, 6}, {1, 2, 3}}), EXACT);
        assertEquals(0, Information.mutual(new long[][] {{0, 0}, {0, 0}}), EXACT);
    }

    @Test
    void aMixedTable() {
        // p = 3/8, 1/8, 1/8, 3/8; both sides even: 2 (3/8 log2 3/2 + 1/8 log2 1/2)
        double expected = 0.75 * Math.log(1.5) / Math.log(2) - 0.25;
        assertEquals(expected, Information.mutual(new long[][] {{3, 1}, {1, 3}}), EXACT);
    }

    @Test
    void theBiasOfSmallSamplesIsThatOfMillerAndMadow() {
        // 4 cells, 2 rows, 2 columns in use, 8 counts
        assertEquals(1 / (16 * Math.log(2)), Information.bias(new long[][] {{3, 1}, {1, 3}}), EXACT);
        // 3 cells, 2 rows, 2 columns
        assertEquals(0, Information.bias(new long[][] {{3, 0, 0}, {1, 4, 0}}), EXACT);
        assertEquals(0, Information.bias(new long[][] {{0}}), EXACT);
    }

    @Test
    void entropyIsInBits() {
        assertEquals(1.5, Information.entropy(new long[] {2, 1, 1, 0}), EXACT);
        assertEquals(0, Information.entropy(new long[] {7}), EXACT);
    }

    @Test
    void shufflingLabelsShowsWhatChanceGives() {
        long[][] counts = new long[40][2];
        int[] labels = new int[40];
        for (int text = 0; text < 40; text++) {
            labels[text] = text % 2;
            counts[text][text % 2] = 5;
        }
        Information told = Information.of(counts, labels, 99, 1);
        assertEquals(1, told.bits(), EXACT);
        assertEquals(1, told.labelEntropy(), EXACT);
        assertEquals(0.01, told.p(), EXACT, "no shuffle of 99 tells as much");
        assertTrue(told.shuffled() > 0 && told.shuffled() < 0.2, told.toString());
        assertEquals(1 - told.shuffled(), told.excess(), EXACT);
        assertEquals(told, Information.of(counts, labels, 99, 1), "the seed decides");
    }

    @Test
    void whatBelongsToTextsIsNotTakenForWhatBelongsToLabels() {
        // Each text keeps to one expert, whatever its label: many tokens, and yet chance.
        long[][] counts = new long[40][2];
        int[] labels = new int[40];
        for (int text = 0; text < 40; text++) {
            labels[text] = text % 2;
            counts[text][text / 2 % 2] = 1000;
        }
        counts[0] = new long[] {0, 1000};
        Information told = Information.of(counts, labels, 99, 1);
        assertTrue(told.corrected() > 0, "independent tokens would show something: " + told);
        assertTrue(told.p() > 0.3 && told.excess() == 0, told.toString());
    }

    @Test
    void balance() {
        Balance even = Balance.of(new long[] {3, 3, 3, 3});
        assertEquals(new Balance(1, 0, 1, 0), even);
        Balance one = Balance.of(new long[] {8, 0, 0, 0});
        assertEquals(4, one.maxOverMean(), EXACT);
        assertEquals(Math.sqrt(3), one.variation(), EXACT);
        assertEquals(0, one.entropy(), EXACT);
        assertEquals(3, one.idle());
        assertEquals(0.75, Balance.of(new long[] {2, 1, 1, 0}).entropy(), EXACT);
        assertEquals(2, Balance.of(new long[] {2, 1, 1, 0}).maxOverMean(), EXACT);
        assertEquals(new Balance(1, 0, 1, 2), Balance.of(new long[2]));
    }
}
