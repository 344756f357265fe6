package dev.remora.core.weight;

import dev.remora.core.kernel.VectorSupport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The dense formats: how an element is stored, and which kernels multiply it. */
public enum DenseFormat {
    /** IEEE binary32. */
    F32(4) {
        @Override
        void multiplyRow(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
            if (VectorSupport.active()) {
                DenseKernels.f32Row(tiles, tileAt, cols, x, xAt, y, yAt);
            } else {
                DenseReference.f32Row(tiles, tileAt, cols, x, xAt, y, yAt);
            }
        }

        @Override
        void decodePanel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
            if (VectorSupport.active()) {
                DenseKernels.f32Panel(tiles, tileAt, from, count, panel);
            } else {
                DenseReference.f32Panel(tiles, tileAt, from, count, panel);
            }
        }

        @Override
        public float decode(MemorySegment data, long at) {
            return data.get(FLOAT, at);
        }
    },
    /** The upper half of binary32. */
    BF16(2) {
        @Override
        void multiplyRow(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
            if (VectorSupport.active()) {
                DenseKernels.bf16Row(tiles, tileAt, cols, x, xAt, y, yAt);
            } else {
                DenseReference.bf16Row(tiles, tileAt, cols, x, xAt, y, yAt);
            }
        }

        @Override
        void decodePanel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
            if (VectorSupport.active()) {
                DenseKernels.bf16Panel(tiles, tileAt, from, count, panel);
            } else {
                DenseReference.bf16Panel(tiles, tileAt, from, count, panel);
            }
        }

        @Override
        public float decode(MemorySegment data, long at) {
            return DenseReference.bf16(data.get(SHORT, at));
        }
    },
    /** IEEE binary16. Infinities and NaN are refused when a matrix is packed. */
    F16(2) {
        @Override
        void multiplyRow(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt) {
            if (VectorSupport.active()) {
                DenseKernels.f16Row(tiles, tileAt, cols, x, xAt, y, yAt);
            } else {
                DenseReference.f16Row(tiles, tileAt, cols, x, xAt, y, yAt);
            }
        }

        @Override
        void decodePanel(MemorySegment tiles, long tileAt, int from, int count, float[] panel) {
            if (VectorSupport.active()) {
                DenseKernels.f16Panel(tiles, tileAt, from, count, panel);
            } else {
                DenseReference.f16Panel(tiles, tileAt, from, count, panel);
            }
        }

        @Override
        public float decode(MemorySegment data, long at) {
            return Float.float16ToFloat(data.get(SHORT, at));
        }

        @Override
        CodeCheck check() {
            return F16_CHECK;
        }
    };

    /** An exponent of all ones is an infinity or NaN. */
    private static final CodeCheck F16_CHECK = new CodeCheck(0x7c00_7c00_7c00_7c00L, 0x0400_0400_0400_0400L);

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int elementBytes;

    DenseFormat(int elementBytes) {
        this.elementBytes = elementBytes;
    }

    /** Bytes of one element. */
    public int elementBytes() {
        return elementBytes;
    }

    /** y[0..64) = one tile times x. */
    abstract void multiplyRow(MemorySegment tiles, long tileAt, int cols, float[] x, int xAt, float[] y, int yAt);

    /** Decodes columns [from, from + count) of one tile; from is a multiple of 128. */
    abstract void decodePanel(MemorySegment tiles, long tileAt, int from, int count, float[] panel);

    /** The element at a byte offset, as f32. */
    public abstract float decode(MemorySegment data, long at);

    /** Finds the codes that the kernels do not decode. */
    CodeCheck check() {
        return CodeCheck.NONE;
    }
}
