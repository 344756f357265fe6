package dev.remora.models.convert;

import dev.remora.core.RemoraException;
import dev.remora.core.StoredMatrix;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.core.kernel.Kernels;
import dev.remora.models.saving.Part;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/** Matrices of any format that become BF16: decoded to f32, then rounded. A piece is some rows. */
final class RoundedPart implements Part {
    private static final int PIECE = 1 << 21;
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Matrices matrices;
    private final RoundingAccount account;
    private final int rowsPerPiece;
    private final int piecesPerMatrix;

    RoundedPart(Matrices matrices, RoundingAccount account) {
        this.matrices = matrices;
        this.account = account;
        rowsPerPiece = Math.max(1, PIECE / Math.max(1, matrices.cols()));
        piecesPerMatrix = Math.ceilDiv(matrices.rows(), rowsPerPiece);
    }

    @Override
    public List<TensorSpec> tensors() {
        return List.of(matrices.spec(matrices.name(), DType.BF16, matrices.rows(), matrices.cols()));
    }

    @Override
    public int pieces() {
        return Math.multiplyExact(matrices.count(), piecesPerMatrix);
    }

    @Override
    public void make(int piece, Sink sink) {
        int matrix = piece / piecesPerMatrix;
        int from = piece % piecesPerMatrix * rowsPerPiece;
        int rows = Math.min(rowsPerPiece, matrices.rows() - from);
        int cols = matrices.cols();
        StoredMatrix numbers = matrices.matrix(matrix).rows(from, rows);
        MemorySegment rounded = MemorySegment.ofArray(new byte[Math.multiplyExact(rows * cols, Short.BYTES)]);
        float[] row = new float[cols];
        RoundingAccount.Piece errors = new RoundingAccount.Piece();
        for (int r = 0; r < rows; r++) {
            numbers.dequantizeRow(r, row, 0);
            Kernels.toBf16(row, 0, rounded, (long) r * cols * Short.BYTES, cols);
            for (int c = 0; c < cols; c++) {
                float stored = Float.intBitsToFloat(rounded.get(BF16, ((long) r * cols + c) * Short.BYTES) << 16);
                if (!Float.isFinite(stored)) {
                    throw notANumber(row[c], from + r, c);
                }
                errors.add(row[c], stored, Float.MIN_NORMAL);
            }
        }
        account.add(matrices.name(), errors);
        sink.put(0, ((long) matrix * matrices.rows() + from) * cols * Short.BYTES, rounded);
    }

    private RemoraException notANumber(float number, int row, int col) {
        return new RemoraException(matrices.name() + ": expected finite numbers that BF16 holds, found " + number
                + " at row " + row + ", column " + col
                + ". The file is damaged or was saved from a broken model");
    }
}
