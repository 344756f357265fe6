package dev.remora.core.checkpoint;

import static dev.remora.core.checkpoint.MemorySource.entry;
import static dev.remora.core.checkpoint.MemorySource.file;
import static dev.remora.core.checkpoint.MemorySource.safetensors;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
    private static final String WHERE = "shard.safetensors";
    private static final String AGAIN = "download it again.";

    @Test
    void tensorsComeInTheOrderOfTheirDataAndViewIt() {
        String header = "{\"__metadata__\": {\"format\": \"pt\"}, " + entry("b", "2", 4, 12) + ", "
                + entry("a", "", 0, 4) + ", " + entry("none", "0, 7", 4, 4) + "}  ";
        List<Tensor> tensors = read(safetensors(header, 12));
        assertEquals(
                List.of("a", "none", "b"), tensors.stream().map(Tensor::name).toList());
        Tensor scalar = tensors.getFirst();
        assertEquals(0, scalar.rank());
        assertEquals(1, scalar.elements());
        assertEquals(0, tensors.get(1).elements());
        Tensor b = tensors.get(2);
        assertArrayEquals(new byte[] {4, 5, 6, 7, 8, 9, 10, 11}, b.data().toArray(ValueLayout.JAVA_BYTE));
        assertArrayEquals(new long[] {2}, b.shape());
        assertEquals(DType.F32, b.dtype());
        assertEquals("b: F32 (2) in shard.safetensors", b.toString());
    }

    @Test
    void anEmptyHeaderHoldsNoTensor() {
        assertEquals(List.of(), read(safetensors("{}", 0)));
    }

    @ParameterizedTest
    @EnumSource
    void everyDtypeParses(DType dtype) {
        int bytes = 3 * dtype.byteSize();
        String header = "{\"t\": {\"dtype\": \"" + dtype + "\", \"shape\": [3], \"data_offsets\": [0, " + bytes + "]}}";
        Tensor tensor = read(safetensors(header, bytes)).getFirst();
        assertEquals(dtype, tensor.dtype());
        assertEquals(3, tensor.elements());
        assertEquals(bytes, tensor.data().byteSize());
    }

    @Test
    void theShapeHandedOutIsACopy() {
        Tensor tensor =
                read(safetensors("{" + entry("a", "2, 1", 0, 8) + "}", 8)).getFirst();
        Arrays.fill(tensor.shape(), 99);
        assertTrue(tensor.hasShape(2, 1));
        assertTrue(tensor.data().isReadOnly());
    }

    static Stream<Arguments> badFiles() {
        return Stream.of(
                bad("empty file", new byte[0], "at least 10 bytes, found 0", "truncated", AGAIN),
                bad("shorter than the length", new byte[7], "at least 10 bytes, found 7", "truncated"),
                bad("only the length", file(2), "at least 10 bytes, found 8", "truncated"),
                bad("length 0", file(0, bytes("{}")), "header length: expected 2 to 2 bytes in a file of 10, found 0."),
                bad("length negative", file(-1, bytes("{}")), "found 18446744073709551615.", "damaged"),
                bad("length beyond the file", file(3, bytes("{}")), "expected 2 to 2 bytes", "found 3.", "truncated"),
                bad(
                        "length absurd",
                        file(Long.MAX_VALUE, bytes("{}")),
                        "found 9223372036854775807.",
                        "not safetensors"),
                bad(
                        "length above 100 MB",
                        file(100_000_001, bytes("{}"), new byte[100_000_001]),
                        "expected 2 to 100000000 bytes",
                        "found 100000001."),
                bad(
                        "Git LFS pointer",
                        bytes("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
                        "begins with the text \"version \"",
                        "git lfs pull"),
                bad("GGUF", bytes("GGUF\3\0\0\0\1\0\0\0"), "file is GGUF under another name", "safetensors"),
                bad("invalid JSON", safetensors("{\"a\": }", 0), "header: invalid JSON", "line 1, column"),
                bad("cut JSON", safetensors("{\"a\": {\"dtype\": \"F32\"", 0), "header: invalid JSON", "end-of-input"),
                bad("text after the JSON", safetensors("{} {}", 0), "header: unexpected text after"),
                bad("NUL padding", safetensors("{}\0\0", 0), "header: ", "code 0"),
                bad("an array", safetensors("[]", 0), "header: expected an object, found an array"),
                bad(
                        "duplicate name",
                        safetensors("{" + entry("a", "1", 0, 4) + "," + entry("a", "1", 4, 8) + "}", 8),
                        "header: invalid JSON: Duplicate Object property \"a\""),
                bad("deep nesting", safetensors("{\"a\":".repeat(100_000), 0), "header: invalid JSON", "depth"),
                bad(
                        "metadata ill-typed",
                        safetensors("{\"__metadata__\": 7}", 0),
                        "__metadata__: expected an object, found 7"),
                bad(
                        "metadata value ill-typed",
                        safetensors("{\"__metadata__\": {\"format\": 7}}", 0),
                        "__metadata__: format: expected a string, found 7"),
                bad("tensor ill-typed", safetensors("{\"a\": 7}", 0), "tensor a: expected an object, found 7"),
                bad(
                        "no dtype",
                        tensor("\"shape\": [], \"data_offsets\": [0, 0]"),
                        "tensor a: dtype: expected a string, found no such key"),
                bad(
                        "no shape",
                        tensor("\"dtype\": \"F32\", \"data_offsets\": [0, 0]"),
                        "tensor a: shape: expected an array, found no such key"),
                bad(
                        "no offsets",
                        tensor("\"dtype\": \"F32\", \"shape\": []"),
                        "tensor a: data_offsets: expected an array, found no such key"),
                bad(
                        "unknown dtype",
                        tensor("\"dtype\": \"F4\", \"shape\": [0], \"data_offsets\": [0, 0]"),
                        "tensor a: dtype: expected one of F64, F32, F16, BF16, F8_E4M3,",
                        "BOOL, found \"F4\""),
                bad(
                        "shape ill-typed",
                        tensor("\"dtype\": \"F32\", \"shape\": 4, \"data_offsets\": [0, 16]"),
                        "tensor a: shape: expected an array, found 4"),
                shape("negative", "-1, 4", "tensor a: shape: expected integers from 0 to 2^63 - 1, found -1."),
                shape("fractional", "1.5", "shape: expected integers from 0 to 2^63 - 1, found 1.5."),
                shape("text", "\"4\"", "shape: expected integers", "found \"4\"."),
                shape("null", "null", "shape: expected integers", "found null."),
                shape("of 2^63", "9223372036854775808", "shape: expected integers", "found 9223372036854775808."),
                shape(
                        "product beyond 2^63",
                        "4294967296, 4294967296",
                        "tensor a: shape: expected a size below 2^63 bytes, found (4294967296, 4294967296) of F32."),
                shape("bytes beyond 2^63", "4611686018427387904", "shape: expected a size below 2^63 bytes"),
                shape(
                        "product that wraps to 16 bytes",
                        "4611686018427387905, 4",
                        "shape: expected a size below 2^63 bytes"),
                shape("too small", "3", "tensor a: expected 12 bytes for F32 (3), found 16 in data_offsets [0, 16]."),
                shape("too large", "5", "tensor a: expected 20 bytes for F32 (5), found 16"),
                shape(
                        "empty, with data",
                        "0, 4611686018427387905",
                        "tensor a: expected 0 bytes for F32 (0, 4611686018427387905), found 16"),
                offsets(
                        "reversed",
                        "16, 0",
                        "tensor a: data_offsets: expected [from, to] with 0 <= from <= to <= 16",
                        "found [16, 0].",
                        "damaged"),
                offsets("negative", "-4, 12", "data_offsets: expected integers from 0 to 2^63 - 1, found -4."),
                offsets("one", "16", "data_offsets: expected [from, to]", "found [16]."),
                offsets("three", "0, 8, 16", "data_offsets: expected [from, to]", "found [0, 8, 16]."),
                offsets(
                        "out of range",
                        "8, 24",
                        "data_offsets: expected [from, to] with 0 <= from <= to <= 16",
                        "found [8, 24].",
                        "truncated"),
                offsets("far out of range", "9223372036854775791, 9223372036854775807", "truncated"),
                bad(
                        "gap before the first",
                        safetensors("{" + entry("a", "2", 8, 16) + "}", 16),
                        "tensor a: data_offsets: expected to begin at 0, the end of the header, found 8: a gap of 8 bytes."),
                bad(
                        "gap between",
                        safetensors("{" + entry("a", "1", 0, 4) + "," + entry("b", "2", 8, 16) + "}", 16),
                        "tensor b: data_offsets: expected to begin at 4, the end of a, found 8: a gap of 4 bytes."),
                bad(
                        "overlap",
                        safetensors("{" + entry("b", "2", 4, 12) + "," + entry("a", "2", 0, 8) + "}", 12),
                        "tensor b: data_offsets: expected to begin at 8, the end of a, found 4: the two overlap."),
                bad(
                        "the same bytes twice",
                        safetensors("{" + entry("a", "2", 0, 8) + "," + entry("b", "2", 0, 8) + "}", 8),
                        "tensor b: data_offsets: expected to begin at 8, the end of a, found 0: the two overlap."),
                bad(
                        "trailing bytes",
                        safetensors("{" + entry("a", "2", 0, 8) + "}", 9),
                        "expected the data to end after 8 bytes, with a, found 9: 1 trailing bytes."));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badFiles")
    void aBadFileIsRefusedWithItsMessage(String what, byte[] file, List<String> fragments) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> read(file), what);
        assertTrue(e.getMessage().startsWith(WHERE + ": "), e.getMessage());
        for (String fragment : fragments) {
            assertTrue(e.getMessage().contains(fragment), () -> "expected \"" + fragment + "\" in: " + e.getMessage());
        }
    }

    private static List<Tensor> read(byte[] file) {
        return Safetensors.read(MemorySegment.ofArray(file).asReadOnly(), WHERE);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] tensor(String fields) {
        return safetensors("{\"a\": {" + fields + "}}", 16);
    }

    private static Arguments shape(String what, String shape, String... fragments) {
        return bad(
                "shape " + what,
                tensor("\"dtype\": \"F32\", \"shape\": [" + shape + "], \"data_offsets\": [0, 16]"),
                fragments);
    }

    private static Arguments offsets(String what, String offsets, String... fragments) {
        return bad(
                "offsets " + what,
                tensor("\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": [" + offsets + "]"),
                fragments);
    }

    private static Arguments bad(String what, byte[] file, String... fragments) {
        return Arguments.of(what, file, List.of(fragments));
    }
}
