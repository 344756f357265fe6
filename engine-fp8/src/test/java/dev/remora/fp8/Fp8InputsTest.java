package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Batch;
import dev.remora.core.DenseFeedForward;
import dev.remora.core.Linear;
import dev.remora.core.Rows;
import dev.remora.core.SwiGlu;
import dev.remora.core.SwiGluGroups;
import dev.remora.core.ThreadTeam;
import dev.remora.core.Weight;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Inputs that are rounded to FP8, against the definition in plain Java. */
@Tag("widths")
class Fp8InputsTest {
    private static final int HIDDEN = 200;
    private static final int INTERMEDIATE = 330;

    /** For each 128 values the nearest of the 254 numbers, found by trying them all. */
    private static float[] rounded(float[] x, int at, int count) {
        float[] y = new float[count];
        for (int from = 0; from < count; from += 128) {
            int end = Math.min(from + 128, count);
            float largest = 1e-4f;
            for (int i = from; i < end; i++) {
                largest = Math.max(largest, Math.abs(x[at + i]));
            }
            float scale = largest / 448;
            for (int i = from; i < end; i++) {
                float quotient = x[at + i] / scale;
                y[i] = Math.copySign(nearest(Math.abs(quotient)), quotient) * scale;
            }
        }
        return y;
    }

    private static float nearest(float magnitude) {
        int best = 0;
        for (int code = 1; code < 0x7f; code++) {
            double error = Math.abs(E4m3.toFloat((byte) code) - (double) magnitude);
            double least = Math.abs(E4m3.toFloat((byte) best) - (double) magnitude);
            if (error < least || (error == least && code % 2 == 0)) {
                best = code;
            }
        }
        return E4m3.toFloat((byte) best);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16, 127, 128, 129, 200, 256, 391})
    void rowsAreRoundedAsDefinedAndAlsoInPlace(int count) {
        for (float size : new float[] {1, 3e-6f, 1e-9f, 2e20f}) {
            float[] x = new float[count + 2];
            float[] random = Fp8Fixture.input(count, 1, count).data();
            for (int i = 0; i < count; i++) {
                // Magnitudes of many exponents, those that round to subnormals and to zero included.
                x[i + 2] = size * random[i] * Math.scalb(1f, -(i % 22));
            }
            float[] expected = rounded(x, 2, count);
            float[] y = new float[count + 5];
            Fp8Inputs.ROUNDING.apply(x, 2, y, 3, count);
            assertArrayEquals(expected, Arrays.copyOfRange(y, 3, count + 3), "of size " + size);
            assertEquals(0, y[2]);
            assertEquals(0, y[count + 3]);
            Fp8Inputs.ROUNDING.apply(x, 2, x, 2, count);
            assertArrayEquals(expected, Arrays.copyOfRange(x, 2, count + 2), "in place");
        }
    }

    @Test
    void midpointsGoToEvenMantissas() {
        float[] x = {448, 17, -17, 19, 0x1p-10f, 0x3p-10f, -0f, 0};
        float[] y = new float[x.length];
        Fp8Inputs.ROUNDING.apply(x, 0, y, 0, x.length);
        assertArrayEquals(new float[] {448, 16, -16, 20, 0, 0x1p-8f, -0f, 0}, y);
    }

    @Test
    void numbersThatAreNoneStayVisible() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] x = new float[128];
            x[77] = bad;
            Fp8Inputs.ROUNDING.apply(x, 0, x, 0, 128);
            assertTrue(!Float.isFinite(x[77]), "found " + x[77]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 70})
    void linearMultipliesRoundedRowsForTheMatricesThatAskForThem(int n) {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(2, n, 400)) {
            Fp8Matrix matrix = new Fp8Fixture(1, 150, HIDDEN, 128, 128).matrix;
            Weight exact = matrix.pack(arena);
            Weight rounding = new Fp8Inputs(matrix).pack(arena);
            Rows x = Fp8Fixture.input(5, n, HIDDEN);
            float[] before = x.data().clone();
            Rows[] y = {new Rows(n, 150), new Rows(n, 150)};
            new Linear(List.of(rounding, exact), List.of(new float[0], new float[0]), team).forward(x, y);
            assertArrayEquals(before, x.data(), "the rows themselves, which others read too");
            assertArrayEquals(Fp8Fixture.multiply(exact, x).data(), y[1].data(), "the matrix beside it");
            assertArrayEquals(Fp8Fixture.multiply(exact, roundedRows(x)).data(), y[0].data());
        }
    }

    private static Rows roundedRows(Rows x) {
        Rows copy = new Rows(x.count(), x.width());
        copy.resize(x.count());
        for (int row = 0; row < x.count(); row++) {
            float[] line = rounded(x.data(), x.offset(row), x.width());
            System.arraycopy(line, 0, copy.data(), copy.offset(row), line.length);
        }
        return copy;
    }

    private static SwiGlu network(Arena arena, long seed, boolean rounding) {
        Weight[] weights = new Weight[3];
        for (int i = 0; i < 3; i++) {
            int rows = i < 2 ? INTERMEDIATE : HIDDEN;
            Fp8Matrix matrix = new Fp8Fixture(seed + i, rows, HIDDEN + INTERMEDIATE - rows, 128, 128).matrix;
            weights[i] = rounding ? new Fp8Inputs(matrix).pack(arena) : matrix.pack(arena);
        }
        return new SwiGlu(weights[0], weights[1], weights[2]);
    }

    /** Also: the rows alone, and a network that rounds beside one that does not. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8})
    void gatedNetworksRoundWhatGateUpAndDownRead(int n) {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(2, n, 400)) {
            SwiGlu exact = network(arena, 10, false);
            SwiGlu rounding = network(arena, 10, true);
            Rows x = Fp8Fixture.input(6, n, HIDDEN);
            Rows one = x.selection(n);
            one.append(x, n - 1);
            Rows y = new Rows(n, HIDDEN);
            Rows z = new Rows(1, HIDDEN);
            Rows plain = new Rows(n, HIDDEN);
            SwiGluGroups groups = new SwiGluGroups(team, 3);
            groups.clear(x);
            y.resize(n);
            plain.resize(n);
            z.resize(1);
            groups.add(exact, x, activation(n), plain);
            groups.add(rounding, x, activation(n), y);
            groups.add(rounding, one, activation(1), z);
            groups.run();
            Rows alone = new Rows(n, HIDDEN);
            new DenseFeedForward(exact, new SwiGluGroups(team, 1), activation(n)).forward(x, new Batch(0), alone);
            assertArrayEquals(alone.data(), plain.data(), "the network that does not round");
            assertArrayEquals(
                    Arrays.copyOfRange(y.data(), (n - 1) * HIDDEN, n * HIDDEN), z.data(), "one row as among " + n);

            Rows middle = activation(n);
            new DenseFeedForward(exact, new SwiGluGroups(team, 1), middle).forward(roundedRows(x), new Batch(0), alone);
            assertArrayEquals(
                    Fp8Fixture.multiply(exact.down(), roundedRows(middle)).data(), y.data());
        }
    }

    private static Rows activation(int n) {
        Rows rows = new Rows(n, INTERMEDIATE);
        rows.resize(n);
        return rows;
    }

    @Test
    void aTeamThatCannotHoldTheRowsIsRefused() {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(1, 2)) {
            Weight weight = new Fp8Inputs(new Fp8Fixture(1, 64, HIDDEN, 128, 128).matrix).pack(arena);
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new Linear(weight, team));
            assertEquals("a weight transforms rows of 200 values; the team was made for 0", e.getMessage());
            DenseFeedForward dense = new DenseFeedForward(
                    network(arena, 10, true), new SwiGluGroups(team, 1), new Rows(2, INTERMEDIATE));
            Rows x = Fp8Fixture.input(6, 2, HIDDEN);
            assertThrows(IllegalArgumentException.class, () -> dense.forward(x, new Batch(0), new Rows(2, HIDDEN)));
        }
    }

    /** What is not multiplied as the model's input is the matrix alone. */
    @Test
    void viewsKeepTheRoundingUnlessTransposed() {
        try (Arena arena = Arena.ofShared()) {
            Fp8Inputs inputs = new Fp8Inputs(new Fp8Fixture(1, 150, HIDDEN, 128, 128).matrix);
            assertTrue(inputs.rows(10, 20).pack(arena).inputTransform().isPresent());
            assertTrue(inputs.transposed().pack(arena).inputTransform().isEmpty());
            assertEquals(inputs.matrix().packedBytes(), inputs.packedBytes());
        }
    }
}
