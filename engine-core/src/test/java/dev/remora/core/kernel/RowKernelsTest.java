package dev.remora.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Allocation;
import dev.remora.core.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("widths")
class RowKernelsTest {
    private static final int AT = 3;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static IntStream sizes() {
        return IntStream.of(0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 160, 311, 576, 1408);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void elementwiseKernelsEqualTheirTwins(int n) {
        for (boolean special : new boolean[] {false, true}) {
            float[] x = values(1, n, special);
            float[] y = values(2, n, special);
            float[] expected = y.clone();
            float[] actual = y.clone();
            RowReference.add(x, AT, expected, AT, n);
            Kernels.add(x, AT, actual, AT, n);
            assertArrayEquals(expected, actual, "add");
            RowReference.addScaled(0.37f, x, AT, expected, AT, n);
            Kernels.addScaled(0.37f, x, AT, actual, AT, n);
            assertArrayEquals(expected, actual, "addScaled");
            RowReference.scale(-1.7f, expected, AT, n);
            Kernels.scale(-1.7f, actual, AT, n);
            assertArrayEquals(expected, actual, "scale");
            RowReference.swiGlu(x, AT, y, AT, expected, AT, n);
            Kernels.swiGlu(x, AT, y, AT, actual, AT, n);
            assertArrayEquals(expected, actual, "swiGlu");
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void reductionsEqualTheirTwins(int n) {
        for (boolean special : new boolean[] {false, true}) {
            float[] x = values(3, n, special);
            assertEquals(RowReference.maximum(x, AT, n), Kernels.maximum(x, AT, n));
            float[] partial = new float[16];
            float[] expected = x.clone();
            RowReference.expOfDifference(expected, AT, 1.5f, n);
            RowReference.partialSums(expected, AT, n, partial);
            float sum = RowReference.sum(partial);
            float[] actual = x.clone();
            assertEquals(sum, Kernels.expAndSum(actual, AT, 1.5f, n, partial));
            assertArrayEquals(expected, actual, "exp");
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void rmsNormEqualsItsTwinAndItsFormula(int n) {
        float[] x = values(4, n, false);
        float[] weight = TestData.floats(5, n);
        float[] partial = new float[16];
        RowReference.sumOfSquares(x, AT, n, partial);
        float factor = (float) (1 / Math.sqrt(RowReference.sum(partial) / (double) n + 1e-6));
        float[] expected = new float[x.length];
        RowReference.normalize(x, AT, factor, weight, expected, AT, n);
        float[] actual = new float[x.length];
        Kernels.rmsNorm(x, AT, weight, 1e-6, actual, AT, n, partial);
        assertArrayEquals(expected, actual);
        double mean = IntStream.range(AT, AT + n)
                .mapToDouble(i -> (double) x[i] * x[i])
                .average()
                .orElse(0);
        for (int i = 0; i < n; i++) {
            double plain = weight[i] * (x[AT + i] / Math.sqrt(mean + 1e-6));
            // A sixteenth of the squares in each chain, a tree of four, and four more roundings.
            assertEquals(plain, actual[AT + i], (n / 16 + 9) * 0x1p-24 * Math.abs(plain));
        }
        Kernels.rmsNorm(x, AT, weight, 1e-6, x, AT, n, partial);
        assertArrayEquals(Arrays.copyOfRange(actual, AT, AT + n), Arrays.copyOfRange(x, AT, AT + n), "in place");
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void swiGluWorksInPlaceAndFollowsItsFormula(int n) {
        float[] gate = values(6, n, false);
        float[] up = values(7, n, false);
        float[] expected = new float[gate.length];
        Kernels.swiGlu(gate, AT, up, AT, expected, AT, n);
        for (int i = AT; i < AT + n; i++) {
            double plain = gate[i] / (1 + Math.exp(-(double) gate[i])) * up[i];
            assertEquals(plain, expected[i], 8 * 0x1p-24 * Math.abs(plain));
        }
        float[] inGate = gate.clone();
        Kernels.swiGlu(inGate, AT, up, AT, inGate, AT, n);
        assertArrayEquals(Arrays.copyOfRange(expected, AT, AT + n), Arrays.copyOfRange(inGate, AT, AT + n));
        Kernels.swiGlu(gate, AT, up, AT, up, AT, n);
        assertArrayEquals(Arrays.copyOfRange(expected, AT, AT + n), Arrays.copyOfRange(up, AT, AT + n));
    }

    @Test
    void nothingOutsideIsWritten() {
        int n = 37;
        float[] x = TestData.floats(8, n + 2 * AT);
        float[] y = TestData.floats(9, n + 2 * AT);
        float[] before = y.clone();
        Kernels.add(x, AT, y, AT, n);
        Kernels.addScaled(2, x, AT, y, AT, n);
        Kernels.scale(3, y, AT, n);
        Kernels.expAndSum(y, AT, 0, n, new float[16]);
        Kernels.swiGlu(x, AT, x, AT, y, AT, n);
        Kernels.rmsNorm(x, AT, x, 1e-6, y, AT, n, new float[16]);
        assertArrayEquals(Arrays.copyOf(before, AT), Arrays.copyOf(y, AT));
        assertArrayEquals(Arrays.copyOfRange(before, n + AT, n + 2 * AT), Arrays.copyOfRange(y, n + AT, n + 2 * AT));
    }

    @Test
    void expIsWithinTwoUnitsInTheLastPlace() {
        int first = Float.floatToIntBits(1e-8f);
        int last = Float.floatToIntBits(88f);
        double worst = 0;
        float[] batch = new float[16];
        float[] partial = new float[16];
        for (int bits = first; bits <= last; bits += 997) {
            float magnitude = Float.intBitsToFloat(bits);
            for (float x : new float[] {magnitude, -magnitude}) {
                if (x < -87f) {
                    continue;
                }
                double exact = Math.exp(x);
                float e = Kernels.exp(x);
                worst = Math.max(worst, Math.abs(e - exact) / Math.ulp((float) exact));
                Arrays.fill(batch, x);
                Kernels.expAndSum(batch, 0, 0, 16, partial);
                assertEquals(e, batch[11], "vector and scalar at " + x);
            }
        }
        assertTrue(worst <= 2, "worst error in units of the last place: " + worst);
    }

    @Test
    void expIsClampedAndPassesNaN() {
        assertEquals(1f, Kernels.exp(0f));
        assertEquals(Kernels.exp(-87f), Kernels.exp(Float.NEGATIVE_INFINITY));
        assertEquals(Kernels.exp(88f), Kernels.exp(Float.POSITIVE_INFINITY));
        assertTrue(Float.isNaN(Kernels.exp(Float.NaN)));
        float[] x = new float[40];
        Arrays.fill(x, Float.NaN);
        assertTrue(Float.isNaN(Kernels.expAndSum(x, 0, 0, 40, new float[16])));
        assertTrue(Float.isNaN(x[0]) && Float.isNaN(x[39]));
    }

    @Test
    void bf16RoundsToNearestEvenAndComesBackExactly() {
        float[] values = TestData.floats(10, 1000);
        values[0] = Float.intBitsToFloat(0x3f808000); // half-way, even below
        values[1] = Float.intBitsToFloat(0x3f818000); // half-way, even above
        values[2] = Float.intBitsToFloat(0x3f808001);
        values[3] = -0f;
        float[] back = new float[values.length + AT];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = arena.allocate(2L * values.length + 2);
            Kernels.toBf16(values, 0, stored, 2, values.length);
            Kernels.fromBf16(stored, 2, back, AT, values.length);
            float[] twin = new float[back.length];
            RowReference.fromBf16(stored, 2, twin, AT, values.length);
            assertArrayEquals(twin, back);
        }
        assertEquals(0x3f800000, Float.floatToIntBits(back[AT]));
        assertEquals(0x3f820000, Float.floatToIntBits(back[AT + 1]));
        assertEquals(0x3f810000, Float.floatToIntBits(back[AT + 2]));
        assertEquals(0x80000000, Float.floatToIntBits(back[AT + 3]));
        for (int i = 0; i < values.length; i++) {
            float v = values[i];
            float wide = back[AT + i];
            assertEquals(0, Float.floatToIntBits(wide) & 0xffff);
            float next = Float.intBitsToFloat(Float.floatToIntBits(wide) + 0x10000);
            float previous = Float.intBitsToFloat(Float.floatToIntBits(wide) - 0x10000);
            if (v != 0) {
                assertTrue(Math.abs(v - wide) <= Math.abs(v - next) && Math.abs(v - wide) <= Math.abs(v - previous));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void bf16RoundingEqualsItsTwin(int n) {
        for (boolean special : new boolean[] {false, true}) {
            float[] x = values(11, n, special);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment expected = arena.allocate(2L * n + 8).fill((byte) 7);
                MemorySegment actual = arena.allocate(2L * n + 8).fill((byte) 7);
                RowReference.toBf16(x, AT, expected, 2, n);
                Kernels.toBf16(x, AT, actual, 2, n);
                assertEquals(-1, expected.mismatch(actual));
            }
        }
    }

    @Test
    void bf16RowsAreWidenedIntoBlocks() {
        int cols = 150;
        int stride = 9 * 64 + 3;
        float[] source = TestData.floats(12, cols * 9);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = arena.allocate(2L * source.length);
            Kernels.toBf16(source, 0, stored, 0, source.length);
            for (int n : new int[] {144, 128, 65, 64, 63, 5}) {
                float[] expected = TestData.floats(13, 3 * stride + 2 * AT);
                float[] actual = expected.clone();
                for (int row = 0; row < 9; row++) {
                    for (int i = 0; i < n; i += 64) {
                        int to = AT + i / 64 * stride + row * 64;
                        RowReference.fromBf16(stored, 2L * cols * row + 4 + 2L * i, expected, to, Math.min(64, n - i));
                    }
                }
                Kernels.fromBf16Blocks(stored, 4, 2 * cols, 9, n, actual, AT, stride);
                assertArrayEquals(expected, actual, n + " values");
            }
            float[] y = new float[3 * stride];
            Allocation.assertNone(
                    "fromBf16Blocks", () -> Kernels.fromBf16Blocks(stored, 4, 2 * cols, 9, 128, y, 0, stride));
        }
    }

    @Test
    void everyBf16CodeIsWidenedExactly() {
        float[] wide = new float[1 << 16];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment codes = arena.allocate(2L << 16);
            for (int code = 0; code < 1 << 16; code++) {
                codes.set(SHORT, 2L * code, (short) code);
            }
            Kernels.fromBf16(codes, 0, wide, 0, wide.length);
        }
        for (int code = 0; code < 1 << 16; code++) {
            assertEquals(Float.intBitsToFloat(code << 16), wide[code]);
        }
    }

    @Test
    void allocateNothing() {
        int n = 311;
        float[] x = TestData.floats(11, n);
        float[] y = TestData.floats(12, n);
        float[] z = new float[n];
        float[] partial = new float[16];
        try (Arena arena = Arena.ofShared()) {
            MemorySegment half = arena.allocate(2L * n);
            Allocation.assertNone("add", () -> Kernels.add(x, 0, z, 0, n));
            Allocation.assertNone("addScaled", () -> Kernels.addScaled(0.5f, x, 0, z, 0, n));
            Allocation.assertNone("scale", () -> Kernels.scale(0.5f, z, 0, n));
            Allocation.assertNone("swiGlu", () -> Kernels.swiGlu(x, 0, y, 0, z, 0, n));
            Allocation.assertNone("rmsNorm", () -> Kernels.rmsNorm(x, 0, y, 1e-6, z, 0, n, partial));
            Allocation.assertNone("maximum", () -> partial[0] = Kernels.maximum(x, 0, n));
            Allocation.assertNone("expAndSum", () -> Kernels.expAndSum(z, 0, 3, n, partial));
            Allocation.assertNone("toBf16", () -> Kernels.toBf16(x, 0, half, 0, n));
            Allocation.assertNone("fromBf16", () -> Kernels.fromBf16(half, 0, z, 0, n));
        }
    }

    private static float[] values(long seed, int n, boolean special) {
        return special ? TestData.specials(seed, n + 2 * AT) : TestData.floats(seed, n + 2 * AT);
    }
}
