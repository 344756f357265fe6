package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads one safetensors file.
 *
 * <pre>
 *   0             8              8 + n
 *   +-------------+--------------+------------------------------------+
 *   | n: u64 LE   | header: JSON | data: tensors without gaps         |
 *   +-------------+--------------+------------------------------------+
 *   header: {"name": {"dtype": "BF16", "shape": [r, c], "data_offsets": [from, to]}, ..., "__metadata__": {...}}
 *   offsets count from 8 + n
 * </pre>
 */
final class Safetensors {
    static final int LENGTH_BYTES = 8;
    static final String METADATA = "__metadata__";
    /** The reference implementation's own limit. */
    static final long MAX_HEADER = 100_000_000;

    static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MIN_HEADER = "{}".length();
    private static final String DAMAGED = " The file is damaged: download it again.";

    private Safetensors() {}

    /**
     * Validates the whole header against the file and returns the tensors in the order of their data.
     *
     * @param file the whole file; the tensors are views of it
     * @param where the file's name, for messages
     * @throws CheckpointException at the first contradiction
     */
    static List<Tensor> read(MemorySegment file, String where) {
        long headerBytes = headerLength(file, where);
        byte[] json = file.asSlice(LENGTH_BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE);
        JsonObject header = Json.object(json, where + ": header");
        MemorySegment data = file.asSlice(LENGTH_BYTES + headerBytes);
        List<Entry> entries = new ArrayList<>(header.keys().size());
        for (String name : header.keys()) {
            if (name.equals(METADATA)) {
                checkMetadata(header);
            } else {
                entries.add(entry(name, header.get(name), data.byteSize(), where));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::from).thenComparingLong(Entry::to));
        checkContiguous(entries, data.byteSize(), where);
        List<Tensor> tensors = new ArrayList<>(entries.size());
        for (Entry e : entries) {
            MemorySegment part = data.asSlice(e.from, e.to - e.from);
            tensors.add(new Tensor(e.name, e.dtype, e.shape, part, where, LENGTH_BYTES + headerBytes + e.from));
        }
        return tensors;
    }

    private static long headerLength(MemorySegment file, String where) {
        long size = file.byteSize();
        if (size < LENGTH_BYTES + MIN_HEADER) {
            throw new CheckpointException(
                    where + ": expected a safetensors file of at least " + (LENGTH_BYTES + MIN_HEADER)
                            + " bytes, found " + size + ". The file is truncated: download it again.");
        }
        long length = file.get(LENGTH, 0);
        long limit = Math.min(MAX_HEADER, size - LENGTH_BYTES);
        if (length < MIN_HEADER || length > limit) {
            throw new CheckpointException(
                    where + ": header length: expected " + MIN_HEADER + " to " + limit + " bytes in a file of " + size
                            + ", found " + Long.toUnsignedString(length) + "." + cure(file, length));
        }
        return length;
    }

    /** Weights are often missing in one of two ways: replaced by a small text, or cut off. */
    private static String cure(MemorySegment file, long length) {
        byte[] start = file.asSlice(0, LENGTH_BYTES).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (text.chars().allMatch(c -> c == '\n' || (c >= ' ' && c <= '~'))) {
            return " The file begins with the text \"" + text.replace('\n', ' ')
                    + "\": it may be a Git LFS pointer (run git lfs pull) or a web page saved in place of the weights.";
        }
        if (text.startsWith("GGUF")) {
            return " The file is GGUF under another name; a checkpoint in safetensors is needed.";
        }
        return length > 0 && length <= MAX_HEADER
                ? " The file is truncated: download it again."
                : " It is not safetensors, or damaged: download it again.";
    }

    private static void checkMetadata(JsonObject header) {
        JsonObject metadata = header.object(METADATA);
        for (String key : metadata.keys()) {
            metadata.string(key);
        }
    }

    private static Entry entry(String name, Object value, long dataBytes, String where) {
        String at = where + ": tensor " + name;
        JsonObject fields = JsonObject.of(value, at);
        String dtypeName = fields.string("dtype");
        DType dtype = DType.of(dtypeName)
                .orElseThrow(() -> new CheckpointException(
                        at + ": dtype: expected one of " + DType.names() + ", found \"" + dtypeName + "\""));
        long[] shape = sizes(fields.array("shape"), at + ": shape");
        long[] offsets = sizes(fields.array("data_offsets"), at + ": data_offsets");
        if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
            String cut = offsets.length == 2 && offsets[0] <= offsets[1]
                    ? " The file is truncated: download it again."
                    : DAMAGED;
            throw new CheckpointException(at + ": data_offsets: expected [from, to] with 0 <= from <= to <= "
                    + dataBytes + ", the bytes after the header, found " + fields.array("data_offsets") + "." + cut);
        }
        long bytes = byteSize(dtype, shape);
        if (bytes < 0) {
            throw new CheckpointException(at + ": shape: expected a size below 2^63 bytes, found " + Tensor.text(shape)
                    + " of " + dtype + "." + DAMAGED);
        }
        if (bytes != offsets[1] - offsets[0]) {
            throw new CheckpointException(at + ": expected " + bytes + " bytes for " + dtype + " " + Tensor.text(shape)
                    + ", found " + (offsets[1] - offsets[0]) + " in data_offsets " + fields.array("data_offsets") + "."
                    + DAMAGED);
        }
        return new Entry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private static long[] sizes(List<Object> values, String at) {
        long[] sizes = new long[values.size()];
        for (int i = 0; i < sizes.length; i++) {
            Object value = values.get(i);
            if (!(value instanceof Long size) || size < 0) {
                throw new CheckpointException(at + ": expected integers from 0 to 2^63 - 1, found "
                        + (value instanceof String text ? Json.quote(text) : value) + "." + DAMAGED);
            }
            sizes[i] = size;
        }
        return sizes;
    }

    /** Bytes of a tensor, or -1 if 2^63 and more; a zero anywhere in the shape makes it empty, however large the rest. */
    static long byteSize(DType dtype, long[] shape) {
        long bytes = dtype.byteSize();
        for (long size : shape) {
            bytes = size == 0 ? 0 : bytes;
        }
        for (long size : shape) {
            if (bytes > 0 && size > Long.MAX_VALUE / bytes) {
                return -1;
            }
            bytes *= size;
        }
        return bytes;
    }

    /** Sorted by offset, each tensor must begin where the one before ends: no overlap, no gap, nothing after. */
    private static void checkContiguous(List<Entry> entries, long dataBytes, String where) {
        long end = 0;
        String before = "the header";
        for (Entry e : entries) {
            if (e.from < end) {
                throw new CheckpointException(where + ": tensor " + e.name + ": data_offsets: expected to begin at "
                        + end + ", the end of " + before + ", found " + e.from + ": the two overlap." + DAMAGED);
            }
            if (e.from > end) {
                throw new CheckpointException(where + ": tensor " + e.name + ": data_offsets: expected to begin at "
                        + end
                        + ", the end of " + before + ", found " + e.from + ": a gap of " + (e.from - end) + " bytes."
                        + DAMAGED);
            }
            end = e.to;
            before = e.name;
        }
        if (end != dataBytes) {
            throw new CheckpointException(where + ": expected the data to end after " + end + " bytes, with " + before
                    + ", found " + dataBytes + ": " + (dataBytes - end) + " trailing bytes." + DAMAGED);
        }
    }

    /** One line of the header, checked by itself. Not a record: its array would give a wrong equals. */
    private static final class Entry {
        private final String name;
        private final DType dtype;
        private final long[] shape;
        private final long from;
        private final long to;

        Entry(String name, DType dtype, long[] shape, long from, long to) {
            this.name = name;
            this.dtype = dtype;
            this.shape = shape;
            this.from = from;
            this.to = to;
        }

        long from() {
            return from;
        }

        long to() {
            return to;
        }
    }
}
