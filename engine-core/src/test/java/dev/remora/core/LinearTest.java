package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.core.weight.DenseFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The parallel operations over weights: Linear, SwiGlu in groups, the dense feed-forward network, the norm. */
@Tag("widths")
class LinearTest {
    private static final int HIDDEN = 130;
    private static final int INTERMEDIATE = 200;

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 9})
    void matricesAndBiasesGiveTheSameBitsForEveryThreadCount(int rows) {
        try (Arena arena = Arena.ofShared()) {
            Weight first =
                    TestData.matrix(1, DenseFormat.BF16, 200, HIDDEN, arena).pack(arena);
            Weight second =
                    TestData.matrix(2, DenseFormat.F32, 70, HIDDEN, arena).pack(arena);
            float[] bias = TestData.floats(3, 70);
            Rows x = TestData.rows(4, rows, HIDDEN);
            Rows[] expected = {new Rows(rows, 200), new Rows(rows, 70)};
            Scratch scratch = new Scratch(0, rows);
            for (Weight weight : List.of(first, second)) {
                Rows y = weight.rows() == 200 ? expected[0] : expected[1];
                y.resize(rows);
                for (int tile = 0; tile < weight.tiles(); tile++) {
                    weight.multiply(x, 0, y, 0, tile, scratch);
                }
            }
            for (int i = 0; i < rows * 70; i++) {
                expected[1].data()[i] += bias[i % 70];
            }
            for (int threads = 1; threads <= 4; threads++) {
                try (ThreadTeam team = new ThreadTeam(threads, rows)) {
                    Linear linear = new Linear(List.of(first, second), List.of(new float[0], bias), team);
                    Rows[] y = {new Rows(rows, 200), new Rows(rows, 70)};
                    linear.forward(x, y);
                    assertEquals(rows, y[1].count());
                    assertArrayEquals(expected[0].data(), y[0].data(), threads + " threads");
                    assertArrayEquals(expected[1].data(), y[1].data(), threads + " threads, with bias");
                    Rows single = new Rows(rows, 200);
                    new Linear(first, team).forward(x, single);
                    assertArrayEquals(expected[0].data(), single.data());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 64})
    void theDenseNetworkFollowsItsFormulaWithTheSameBitsEverywhere(int rows) {
        try (Arena arena = Arena.ofShared()) {
            SwiGlu network = network(arena);
            Rows x = TestData.rows(9, rows, HIDDEN);
            float[] expected = forward(network, x, 1);
            for (int threads = 2; threads <= 4; threads++) {
                assertArrayEquals(expected, forward(network, x, threads), threads + " threads");
            }
            for (int row = 0; row < rows; row += 7) {
                Rows alone = x.selection(1);
                alone.select(x, row, 1);
                float[] line = Arrays.copyOfRange(expected, row * HIDDEN, (row + 1) * HIDDEN);
                assertArrayEquals(line, forward(network, alone, 1), "row " + row + " alone");
                double[] plain = plain(network, x, row);
                double largest = Arrays.stream(plain).map(Math::abs).max().orElseThrow();
                for (int i = 0; i < HIDDEN; i++) {
                    // Two multiplications of up to 200 terms: an error of sqrt(200) * 2^-24 each, and some room.
                    assertEquals(plain[i], line[i], 2e-6 * largest);
                }
            }
        }
    }

    private static float[] forward(SwiGlu network, Rows x, int threads) {
        try (ThreadTeam team = new ThreadTeam(threads, x.count())) {
            Rows out = new Rows(x.count(), HIDDEN);
            Rows activation = new Rows(x.count(), INTERMEDIATE + 3);
            new DenseFeedForward(network, new SwiGluGroups(team, 1), activation).forward(x, new Batch(0), out);
            return out.data();
        }
    }

    private static double[] plain(SwiGlu network, Rows x, int row) {
        double[] h = new double[HIDDEN];
        for (int i = 0; i < HIDDEN; i++) {
            h[i] = x.data()[x.offset(row) + i];
        }
        double[] gate = multiply(network.gate(), h);
        double[] up = multiply(network.up(), h);
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return multiply(network.down(), gate);
    }

    private static double[] multiply(Weight weight, double[] h) {
        double[] y = new double[weight.rows()];
        float[] line = new float[weight.cols()];
        for (int r = 0; r < y.length; r++) {
            weight.dequantizeRow(r, line, 0);
            for (int c = 0; c < h.length; c++) {
                y[r] += line[c] * h[c];
            }
        }
        return y;
    }

    @Test
    void matricesThatDoNotFitAreRefused() {
        try (Arena arena = Arena.ofShared()) {
            SwiGlu network = network(arena);
            assertEquals(INTERMEDIATE, network.intermediateSize());
            assertEquals(
                    network.gate().bytes()
                            + network.up().bytes()
                            + network.down().bytes(),
                    network.bytes());
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> new SwiGlu(network.gate(), network.down(), network.down()));
            assertEquals("gate (200, 130), up (130, 200) and down (130, 200) do not fit together", e.getMessage());
        }
    }

    @Test
    void theNormTakesTheFirstColumnsOfEveryRow() {
        float[] weight = TestData.floats(5, 48);
        RmsNorm norm = new RmsNorm(weight, 1e-5);
        Rows x = TestData.rows(6, 3, 64);
        Rows y = new Rows(3, 50);
        Scratch scratch = new Scratch(0, 3);
        norm.forward(x, y, scratch);
        for (int row = 0; row < 3; row++) {
            double squares = 0;
            for (int i = 0; i < 48; i++) {
                squares += (double) x.data()[x.offset(row) + i] * x.data()[x.offset(row) + i];
            }
            for (int i = 0; i < 48; i++) {
                double plain = weight[i] * x.data()[x.offset(row) + i] / Math.sqrt(squares / 48 + 1e-5);
                assertEquals(plain, y.data()[y.offset(row) + i], 12 * 0x1p-24 * Math.abs(plain));
            }
            assertEquals(0f, y.data()[y.offset(row) + 48]);
            float[] inPlace = Arrays.copyOfRange(x.data(), x.offset(row), x.offset(row) + 64);
            norm.forward(inPlace, 0, scratch);
            assertArrayEquals(
                    Arrays.copyOfRange(y.data(), y.offset(row), y.offset(row) + 48), Arrays.copyOf(inPlace, 48));
        }
    }

    @Test
    void allocateNothing() {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(1, 5)) {
            SwiGlu network = network(arena);
            DenseFeedForward dense =
                    new DenseFeedForward(network, new SwiGluGroups(team, 1), new Rows(5, INTERMEDIATE));
            Linear linear = new Linear(List.of(network.gate()), List.of(TestData.floats(1, INTERMEDIATE)), team);
            Batch batch = new Batch(0);
            for (int rows : new int[] {1, 5}) {
                Rows x = TestData.rows(2, rows, HIDDEN);
                Rows out = new Rows(rows, HIDDEN);
                Rows y = new Rows(rows, INTERMEDIATE);
                Allocation.assertNone("dense, " + rows, () -> dense.forward(x, batch, out));
                Allocation.assertNone("linear, " + rows, () -> linear.forward(x, y));
            }
        }
    }

    private static SwiGlu network(Arena arena) {
        return new SwiGlu(
                TestData.matrix(6, DenseFormat.BF16, INTERMEDIATE, HIDDEN, arena)
                        .pack(arena),
                TestData.matrix(7, DenseFormat.BF16, INTERMEDIATE, HIDDEN, arena)
                        .pack(arena),
                TestData.matrix(8, DenseFormat.F16, HIDDEN, INTERMEDIATE, arena).pack(arena));
    }
}
