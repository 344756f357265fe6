package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RopeTest {
    private static final RopeScaling NONE = new RopeScaling.None();

    @ParameterizedTest
    @CsvSource({
        // factor, mscale_all_dim; the factors published for V2, V3, Kimi-K2 at 32 and at 64
        "40, 0.707, 1.58963, 0.114721",
        "40, 1, 1.873854, 0.135234",
        "32, 1, 1.813260, 0.130861",
        "64, 1, 2.004740, 0.144680"
    })
    void softmaxFactorsAreThoseOfTheReleasedModels(double factor, double mscale, double expected, double scale) {
        RopeScaling yarn = new RopeScaling.Yarn(factor, 4096, 32, 1, mscale, mscale);
        assertEquals(expected, yarn.softmaxFactor(), 5e-6);
        assertEquals(scale, yarn.softmaxFactor() / Math.sqrt(192), 5e-7);
        assertEquals(1, yarn.rotationMagnitude(), 0);
    }

    @Test
    void withoutScalingNothingIsMultiplied() {
        assertEquals(1, NONE.softmaxFactor());
        assertEquals(1, NONE.rotationMagnitude());
        RopeScaling noAllDim = new RopeScaling.Yarn(40, 4096, 32, 1, 1, 0);
        assertEquals(1, noAllDim.softmaxFactor());
        assertEquals(0.1 * Math.log(40) + 1, noAllDim.rotationMagnitude(), 1e-15);
        RopeScaling shrinking = new RopeScaling.Yarn(1, 4096, 32, 1, 1, 1);
        assertEquals(1, shrinking.softmaxFactor());
    }

    @ParameterizedTest
    @CsvSource({"64, 10000", "16, 10000", "32, 50000", "2, 10000"})
    void plainFrequenciesFollowTheFormula(int dimension, double theta) {
        double[] frequencies = NONE.frequencies(dimension, theta);
        assertEquals(dimension / 2, frequencies.length);
        for (int i = 0; i < frequencies.length; i++) {
            assertEquals(1 / Math.pow(theta, 2.0 * i / dimension), frequencies[i], 1e-15);
        }
    }

    @Test
    void yarnKeepsFastDimensionsAndStretchesSlowOnes() {
        // DeepSeek-V3: low = floor(64 ln(4096 / 64 pi) / 2 ln 10000) = 10, high = ceil(64 ln(4096 / 2 pi) / ...) = 23.
        double[] plain = NONE.frequencies(64, 10000);
        double[] yarn = new RopeScaling.Yarn(40, 4096, 32, 1, 1, 1).frequencies(64, 10000);
        for (int i = 0; i < 32; i++) {
            double ramp = Math.min(1, Math.max(0, (i - 10) / 13.0));
            double expected = plain[i] / 40 * ramp + plain[i] * (1 - ramp);
            assertEquals(expected, yarn[i], 1e-15 * plain[i], "pair " + i);
        }
        assertEquals(plain[10], yarn[10]);
        assertEquals(plain[23] / 40, yarn[23], 1e-18);
    }

    @Test
    void yarnWithEqualBoundsStillDivides() {
        // Kimi-K2 has beta_fast = beta_slow = 1: low = floor(v), high = ceil(v) of the same v.
        double[] plain = NONE.frequencies(64, 50000);
        double[] yarn = new RopeScaling.Yarn(32, 4096, 1, 1, 1, 1).frequencies(64, 50000);
        double v = 64 * Math.log(4096 / (2 * Math.PI)) / (2 * Math.log(50000));
        for (int i = 0; i < 32; i++) {
            double expected = i <= Math.floor(v) ? plain[i] : plain[i] / 32;
            assertEquals(expected, yarn[i], 1e-15 * plain[i], "pair " + i);
        }
        // v = -0.497: low and high are both 0, and the ramp must not divide by zero.
        double[] tiny = new RopeScaling.Yarn(4, 64, 32, 32, 1, 1).frequencies(8, 10000);
        double[] base = NONE.frequencies(8, 10000);
        assertEquals(base[0], tiny[0]);
        for (int i = 1; i < 4; i++) {
            assertEquals(base[i] / 4, tiny[i], 1e-15);
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "7", "4095", "131071"})
    void rotatesNeighbouringPairsByPositionTimesFrequency(int position) {
        Rope rope = new Rope(16, 10000, NONE);
        assertEquals(16, rope.tableWidth());
        float[] table = new float[20];
        rope.fillTable(position, table, 3);
        float[] x = TestData.floats(position, 22);
        float[] before = x.clone();
        rope.rotate(x, 5, table, 3);
        for (int i = 0; i < 8; i++) {
            double angle = position / Math.pow(10000, 2.0 * i / 16);
            double a = before[5 + 2 * i];
            double b = before[5 + 2 * i + 1];
            double bound = 4 * 0x1p-24 * (Math.abs(a) + Math.abs(b));
            assertEquals(a * Math.cos(angle) - b * Math.sin(angle), x[5 + 2 * i], bound);
            assertEquals(a * Math.sin(angle) + b * Math.cos(angle), x[5 + 2 * i + 1], bound);
        }
        assertEquals(before[4], x[4]);
        assertEquals(before[21], x[21]);
    }

    @Test
    void theMagnitudeScalesTheRotation() {
        RopeScaling yarn = new RopeScaling.Yarn(40, 4096, 32, 1, 1, 0.707);
        double magnitude = (0.1 * Math.log(40) + 1) / (0.0707 * Math.log(40) + 1);
        float[] table = new float[64];
        new Rope(64, 10000, yarn).fillTable(0, table, 0);
        for (int i = 0; i < 64; i += 2) {
            assertEquals((float) magnitude, table[i], 1e-7);
            assertEquals(0f, table[i + 1]);
        }
    }
}
