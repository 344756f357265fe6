package dev.remora.moe.control;

import java.math.BigDecimal;
import java.math.MathContext;

/** Numbers for people. */
final class Figures {
    private static final MathContext FOUR_DIGITS = new MathContext(4);

    private Figures() {}

    /** Four digits that count, and no zeros that do not. */
    static String of(double value) {
        return Double.isFinite(value)
                ? new BigDecimal(value).round(FOUR_DIGITS).stripTrailingZeros().toPlainString()
                : Double.toString(value);
    }
}
