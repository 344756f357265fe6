package dev.remora.cli;

import java.util.Locale;

/** Numbers as people read them. */
final class Units {
    private Units() {}

    /** Bytes with a decimal unit: {@code 13.9 MB}. */
    static String bytes(long bytes) {
        return bytes < 1000 ? bytes + " B" : scaled((double) bytes, new String[] {"kB", "MB", "GB", "TB"});
    }

    /** A count with a decimal unit: {@code 671 B} parameters. */
    static String count(long count) {
        return count < 1000 ? Long.toString(count) : scaled((double) count, new String[] {"k", "M", "B", "T"});
    }

    private static String scaled(double value, String[] units) {
        double scaled = value / 1000;
        int unit = 0;
        while (scaled >= 999.5 && unit < units.length - 1) {
            scaled /= 1000;
            unit++;
        }
        return String.format(
                Locale.ROOT, scaled < 10 ? "%.2f %s" : scaled < 100 ? "%.1f %s" : "%.0f %s", scaled, units[unit]);
    }

    /** Tokens per second, or a dash where there is nothing to divide. */
    static String rate(int tokens, double seconds) {
        return tokens <= 0 || seconds <= 0 ? "-" : String.format(Locale.ROOT, "%.1f", tokens / seconds);
    }

    /** Seconds, to the millisecond. */
    static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.3f s", seconds);
    }
}
