package dev.remora.models.convert;

import dev.remora.core.StoredMatrix;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.fp8.E4m3;
import dev.remora.fp8.Fp8Quantizer;
import dev.remora.models.saving.Part;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/** Matrices that become FP8, and their scales. A piece is some bands of 128 rows, which share no scale with others. */
final class QuantizedPart implements Part {
    private static final int BLOCK = Fp8Quantizer.BLOCK;
    private static final int PIECE = 1 << 21;
    /** Of the quotients by the scale, from here on codes are normal numbers. */
    private static final double SMALLEST = 0x1p-6;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Matrices matrices;
    private final RoundingAccount account;
    private final int bandsPerPiece;
    private final int piecesPerMatrix;

    QuantizedPart(Matrices matrices, RoundingAccount account) {
        this.matrices = matrices;
        this.account = account;
        bandsPerPiece = Math.max(1, PIECE / (BLOCK * Math.max(1, matrices.cols())));
        piecesPerMatrix = Math.ceilDiv(Math.ceilDiv(matrices.rows(), BLOCK), bandsPerPiece);
    }

    @Override
    public List<TensorSpec> tensors() {
        int rows = matrices.rows();
        int cols = matrices.cols();
        return List.of(
                matrices.spec(matrices.name(), DType.F8_E4M3, rows, cols),
                matrices.spec(
                        matrices.name() + TensorNames.SCALE_SUFFIX,
                        DType.F32,
                        Math.ceilDiv(rows, BLOCK),
                        Math.ceilDiv(cols, BLOCK)));
    }

    @Override
    public int pieces() {
        return Math.multiplyExact(matrices.count(), piecesPerMatrix);
    }

    @Override
    public void make(int piece, Sink sink) {
        int matrix = piece / piecesPerMatrix;
        int from = piece % piecesPerMatrix * bandsPerPiece * BLOCK;
        int rows = Math.min(bandsPerPiece * BLOCK, matrices.rows() - from);
        int cols = matrices.cols();
        StoredMatrix numbers = matrices.matrix(matrix).rows(from, rows);
        byte[] codes = new byte[rows * cols];
        float[] scales = new float[Fp8Quantizer.scales(rows, cols)];
        String name = from == 0 ? matrices.name() : matrices.name() + " from row " + from + " on";
        new Fp8Quantizer().quantize(name, numbers, MemorySegment.ofArray(codes), scales);
        measure(numbers, codes, scales);
        MemorySegment factors = MemorySegment.ofArray(new byte[scales.length * Float.BYTES]);
        MemorySegment.copy(scales, 0, factors, FLOAT, 0, scales.length);
        int blocks = Math.ceilDiv(cols, BLOCK);
        long firstBand = (long) matrix * Math.ceilDiv(matrices.rows(), BLOCK) + from / BLOCK;
        sink.put(0, ((long) matrix * matrices.rows() + from) * cols, MemorySegment.ofArray(codes));
        sink.put(1, firstBand * blocks * Float.BYTES, factors);
    }

    private void measure(StoredMatrix numbers, byte[] codes, float[] scales) {
        int cols = numbers.cols();
        int blocks = Math.ceilDiv(cols, BLOCK);
        float[] row = new float[cols];
        RoundingAccount.Piece piece = new RoundingAccount.Piece();
        for (int r = 0; r < numbers.rows(); r++) {
            numbers.dequantizeRow(r, row, 0);
            for (int c = 0; c < cols; c++) {
                double scale = scales[r / BLOCK * blocks + c / BLOCK];
                piece.add(row[c], E4m3.toFloat(codes[r * cols + c]) * scale, SMALLEST * scale);
            }
        }
        account.add(matrices.name(), piece);
    }
}
