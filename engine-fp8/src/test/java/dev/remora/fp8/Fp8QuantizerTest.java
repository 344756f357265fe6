package dev.remora.fp8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.RemoraException;
import dev.remora.core.weight.DenseFormat;
import dev.remora.core.weight.DenseMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8QuantizerTest {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final String NAME = "model.layers.0.mlp.up_proj.weight";

    /** Block by block and number by number as the definition says, partial blocks included. */
    @ParameterizedTest
    @CsvSource({"1, 1", "128, 128", "129, 127", "64, 300", "576, 129", "260, 512"})
    void scalesAndCodesAreThoseOfTheDefinition(int rows, int cols) {
        float[] w = gaussian(rows * cols);
        byte[] codes = new byte[rows * cols];
        float[] scales = new float[Fp8Quantizer.scales(rows, cols)];
        new Fp8Quantizer().quantize(NAME, f32(w, rows, cols), MemorySegment.ofArray(codes), scales);
        int blocks = (cols + 127) / 128;
        float[] largest = new float[((rows + 127) / 128) * blocks];
        for (int i = 0; i < w.length; i++) {
            int block = i / cols / 128 * blocks + i % cols / 128;
            largest[block] = Math.max(largest[block], Math.abs(w[i]));
        }
        for (int block = 0; block < largest.length; block++) {
            assertEquals(largest[block] / 448, scales[block], "scale of block " + block);
        }
        for (int i = 0; i < w.length; i++) {
            float scale = scales[i / cols / 128 * blocks + i % cols / 128];
            assertEquals(E4m3.toCode(w[i] / scale), codes[i], "element " + i);
            double error = Math.abs(w[i] - (double) E4m3.toFloat(codes[i]) * scale);
            // Half a step of three bits; the quotient itself is rounded to 24 bits, hence the little more.
            double bound = Math.max(Math.abs(w[i]) / 16, scale * 0x1p-10) * (1 + 1e-6);
            assertTrue(error <= bound, () -> "error " + error + " of " + bound);
        }
    }

    @Test
    void theLargestNumberOfEachBlockHasTheLargestCode() {
        float[] w = gaussian(256 * 256);
        byte[] codes = new byte[w.length];
        new Fp8Quantizer().quantize(NAME, f32(w, 256, 256), MemorySegment.ofArray(codes), new float[4]);
        for (int block = 0; block < 4; block++) {
            int most = 0;
            for (int i = 0; i < 128 * 128; i++) {
                int row = block / 2 * 128 + i / 128;
                most = Math.max(most, codes[row * 256 + block % 2 * 128 + i % 128] & 0x7f);
            }
            assertEquals(0x7e, most);
        }
    }

    @Test
    void bandsOfRowsQuantisedApartAreTheWhole() {
        int rows = 300;
        int cols = 200;
        DenseMatrix matrix = f32(gaussian(rows * cols), rows, cols);
        byte[] whole = new byte[rows * cols];
        float[] wholeScales = new float[6];
        Fp8Quantizer quantizer = new Fp8Quantizer();
        quantizer.quantize(NAME, matrix, MemorySegment.ofArray(whole), wholeScales);
        for (int from = 0; from < rows; from += 128) {
            int count = Math.min(128, rows - from);
            byte[] part = new byte[count * cols];
            float[] scales = new float[2];
            quantizer.quantize(NAME, matrix.rows(from, count), MemorySegment.ofArray(part), scales);
            assertArrayEquals(Arrays.copyOfRange(whole, from * cols, (from + count) * cols), part);
            assertArrayEquals(Arrays.copyOfRange(wholeScales, from / 128 * 2, from / 128 * 2 + 2), scales);
        }
    }

    /** What is quantised is read as any other FP8 matrix; a second time nothing is lost, though scales may differ by an ulp. */
    @Test
    void aQuantisedMatrixIsReadAsOneFromACheckpoint() {
        int rows = 200;
        int cols = 260;
        float[] w = gaussian(rows * cols);
        try (Arena arena = Arena.ofConfined()) {
            Fp8Quantizer quantizer = new Fp8Quantizer();
            Fp8Matrix once = quantizer.quantize(NAME, f32(w, rows, cols), arena);
            Fp8Matrix twice = quantizer.quantize(NAME, once, arena);
            float[] first = new float[cols];
            float[] second = new float[cols];
            for (int row = 0; row < rows; row++) {
                once.dequantizeRow(row, first, 0);
                twice.dequantizeRow(row, second, 0);
                for (int col = 0; col < cols; col++) {
                    assertEquals(w[row * cols + col], first[col], Math.max(Math.abs(w[row * cols + col]) / 15, 1e-5));
                    assertEquals(first[col], second[col], Math.abs(first[col]) * 0x1p-22);
                }
            }
        }
    }

    @Test
    void bf16IsQuantisedAsTheNumbersItStandsFor() {
        float[] w = gaussian(128 * 128);
        byte[] data = new byte[2 * w.length];
        MemorySegment bf16 = MemorySegment.ofArray(data);
        for (int i = 0; i < w.length; i++) {
            short upper = (short) (Float.floatToRawIntBits(w[i]) >>> 16);
            bf16.set(SHORT, 2L * i, upper);
            w[i] = Float.intBitsToFloat(upper << 16);
        }
        byte[] expected = new byte[w.length];
        byte[] actual = new byte[w.length];
        float[] expectedScale = new float[1];
        float[] actualScale = new float[1];
        Fp8Quantizer quantizer = new Fp8Quantizer();
        quantizer.quantize(NAME, f32(w, 128, 128), MemorySegment.ofArray(expected), expectedScale);
        DenseMatrix matrix = new DenseMatrix(NAME, DenseFormat.BF16, bf16, 128, 128);
        quantizer.quantize(NAME, matrix, MemorySegment.ofArray(actual), actualScale);
        assertArrayEquals(expected, actual);
        assertArrayEquals(expectedScale, actualScale);
    }

    @Test
    void zerosHaveScaleOne() {
        float[] w = new float[128 * 256];
        w[200] = 7;
        byte[] codes = new byte[w.length];
        Arrays.fill(codes, (byte) 1);
        float[] scales = new float[2];
        new Fp8Quantizer().quantize(NAME, f32(w, 128, 256), MemorySegment.ofArray(codes), scales);
        assertArrayEquals(new float[] {1, 7f / 448}, scales);
        assertEquals(0x7e, codes[200]);
        codes[200] = 0;
        assertArrayEquals(new byte[w.length], codes);
    }

    /** 448 times the smallest normal f32 is the least that a scale of amax / 448 would carry exactly. */
    @Test
    void theTiniestNumbersKeepAScaleThatCanDivide() {
        float[] w = {Float.MIN_VALUE, -100 * Float.MIN_NORMAL, Float.MIN_NORMAL, 0};
        byte[] codes = new byte[4];
        float[] scales = new float[1];
        new Fp8Quantizer().quantize(NAME, f32(w, 2, 2), MemorySegment.ofArray(codes), scales);
        assertArrayEquals(new float[] {Float.MIN_NORMAL}, scales);
        assertArrayEquals(new byte[] {0, E4m3.toCode(-100), E4m3.toCode(1), 0}, codes);
    }

    @Test
    void theLargestNumbersDoNotOverflow() {
        float[] w = {Float.MAX_VALUE, -Float.MAX_VALUE, 1e38f, 0};
        try (Arena arena = Arena.ofConfined()) {
            float[] row = new float[2];
            new Fp8Quantizer().quantize(NAME, f32(w, 2, 2), arena).dequantizeRow(0, row, 0);
            assertEquals(Float.MAX_VALUE, row[0], Float.MAX_VALUE * 1e-6f);
            assertEquals(-Float.MAX_VALUE, row[1], Float.MAX_VALUE * 1e-6f);
        }
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity", "-Infinity"})
    void whatIsNoNumberIsRefusedWithItsPlace(float value) {
        float[] w = gaussian(150 * 300);
        w[140 * 300 + 299] = value;
        byte[] codes = new byte[w.length];
        RemoraException e = assertThrows(
                RemoraException.class,
                () -> new Fp8Quantizer().quantize(NAME, f32(w, 150, 300), MemorySegment.ofArray(codes), new float[6]));
        assertEquals(
                NAME + ": expected finite numbers, found " + value
                        + " at row 140, column 299; FP8 has no code for it. The"
                        + " file is damaged or was saved from a broken model",
                e.getMessage());
    }

    @Test
    void roomOfAnotherSizeIsRefused() {
        DenseMatrix matrix = f32(new float[6], 2, 3);
        Fp8Quantizer quantizer = new Fp8Quantizer();
        assertThrows(
                IllegalArgumentException.class,
                () -> quantizer.quantize(NAME, matrix, MemorySegment.ofArray(new byte[5]), new float[1]));
        assertThrows(
                IllegalArgumentException.class,
                () -> quantizer.quantize(NAME, matrix, MemorySegment.ofArray(new byte[6]), new float[2]));
    }

    private static float[] gaussian(int count) {
        Random random = new Random(count);
        float[] w = new float[count];
        for (int i = 0; i < count; i++) {
            w[i] = (float) (random.nextGaussian() * 0.02);
        }
        return w;
    }

    private static DenseMatrix f32(float[] w, int rows, int cols) {
        MemorySegment data = MemorySegment.ofArray(new byte[4 * w.length]);
        MemorySegment.copy(w, 0, data, FLOAT, 0, w.length);
        return new DenseMatrix(NAME, DenseFormat.F32, data, rows, cols);
    }
}
