package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.remora.core.kernel.VectorSupport;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The encoding of many numbers at once against that of one. */
@Tag("widths")
class E4m3KernelsTest {
    @BeforeAll
    static void vectors() {
        assumeTrue(VectorSupport.VECTOR, VectorSupport::reason);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 7, 8, 15, 16, 17, 31, 100, 128, 1000})
    void anyNumberOfThemHasTheCodesOfItsTwin(int count) {
        Random random = new Random(count);
        for (float scale : new float[] {1, 0.37f, 1e-6f, Float.MIN_NORMAL, 3e30f}) {
            float[] x = numbers(random, count + 3, scale);
            byte[] expected = new byte[count + 5];
            byte[] actual = expected.clone();
            E4m3Reference.encode(x, 3, count, scale, expected, 2);
            E4m3Kernels.encode(x, 3, count, scale, actual, 2);
            assertArrayEquals(expected, actual, "of scale " + scale);
            for (int i = 0; i < count; i++) {
                assertEquals(E4m3.toCode(x[3 + i] / scale), actual[2 + i], x[3 + i] + " / " + scale);
            }
        }
    }

    /** One f32 to either side of each midpoint, where the rounding turns. */
    @Test
    void numbersBetweenTwoCodesHaveTheCodesOfTheirTwin() {
        float[] x = new float[6 * 127];
        for (int code = 0; code < 0x7e; code++) {
            float middle = (E4m3.toFloat((byte) code) + E4m3.toFloat((byte) (code + 1))) / 2;
            float[] around = {Math.nextDown(middle), middle, Math.nextUp(middle)};
            for (int i = 0; i < 3; i++) {
                x[6 * code + i] = around[i];
                x[6 * code + 3 + i] = -around[i];
            }
        }
        byte[] actual = new byte[x.length];
        E4m3Kernels.encode(x, 0, x.length, 1, actual, 0);
        for (int i = 0; i < x.length; i++) {
            assertEquals(E4m3.toCode(x[i]), actual[i], String.valueOf(x[i]));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 8, 16, 19, 64, 127})
    void theLargestMagnitudeIsFoundAnywhere(int count) {
        float[] x = numbers(new Random(count), count + 2, 1);
        for (int at = 0; at < count; at++) {
            for (float large : new float[] {-3e6f, Float.NEGATIVE_INFINITY, Float.NaN}) {
                float before = x[2 + at];
                x[2 + at] = large;
                int expected = Float.floatToRawIntBits(large) & E4m3.MAGNITUDE;
                assertEquals(expected, E4m3Kernels.largestBits(x, 2, count));
                assertEquals(expected, E4m3Reference.largestBits(x, 2, count));
                x[2 + at] = before;
            }
        }
        assertEquals(E4m3Reference.largestBits(x, 2, count), E4m3Kernels.largestBits(x, 2, count));
    }

    @Test
    void compiledNothingIsAllocated() {
        float[] x = numbers(new Random(1), 256, 1);
        byte[] codes = new byte[256];
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        // Patient: until the compiler is done, vectors live on the heap.
        for (int round = 0; round < 200 && allocated > 0; round++) {
            for (int i = 0; i < 1000; i++) {
                largestAndCodes(x, codes);
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 100; i++) {
                largestAndCodes(x, codes);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertTrue(allocated < 1024, () -> "still allocating");
    }

    private static void largestAndCodes(float[] x, byte[] codes) {
        float scale = Fp8Quantizer.scale(Float.intBitsToFloat(E4m3.largestBits(x, 0, 128)));
        E4m3.encode(x, 128, 128, scale, codes, 128);
    }

    /** Quotients of every size from far below the smallest number to far above the largest, zeros of both signs too. */
    private static float[] numbers(Random random, int count, float scale) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            double size = Math.scalb(1.0, random.nextInt(30) - 18);
            x[i] = i % 11 == 0 ? (i % 2 == 0 ? 0f : -0f) : (float) (random.nextGaussian() * size * scale);
            x[i] = Math.clamp(x[i], -Float.MAX_VALUE, Float.MAX_VALUE);
        }
        return x;
    }
}
