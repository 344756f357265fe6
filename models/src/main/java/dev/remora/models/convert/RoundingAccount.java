package dev.remora.models.convert;

import java.util.Optional;

/** What a new format costs, over all tensors. Any thread. */
final class RoundingAccount {
    private boolean any;
    private double largest;
    private String tensor = "";
    private double squaredErrors;
    private double squares;

    /** Of some numbers of one tensor, before they are added to the account. */
    static final class Piece {
        private double largest;
        private double squaredErrors;
        private double squares;

        /** @param smallest from which on the format holds normal numbers */
        void add(float number, double stored, double smallest) {
            double error = Math.abs(stored - number);
            squaredErrors += error * error;
            squares += (double) number * number;
            if (Math.abs(number) >= smallest && error > largest * Math.abs(number)) {
                largest = error / Math.abs(number);
            }
        }
    }

    synchronized void add(String name, Piece piece) {
        if (!any || piece.largest > largest || (piece.largest == largest && name.compareTo(tensor) < 0)) {
            largest = piece.largest;
            tensor = name;
        }
        any = true;
        squaredErrors += piece.squaredErrors;
        squares += piece.squares;
    }

    /** Empty if nothing was added. */
    synchronized Optional<ConversionReport.Rounding> report() {
        return any
                ? Optional.of(new ConversionReport.Rounding(
                        largest, tensor, squares == 0 ? 0 : Math.sqrt(squaredErrors / squares)))
                : Optional.empty();
    }
}
