package dev.remora.moe;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory the routed experts of all layers may take: a number of bytes, or a share of what all of them take. What
 * does not fit stays on disk.
 *
 * @param bytes buffers for reading included; 0 where the share counts
 * @param share over 0, at most 1, of the experts in memory; 0 where the bytes count
 */
public record ExpertMemory(long bytes, double share) {
    /** All experts are loaded with the rest of the model. */
    public static final ExpertMemory ALL = new ExpertMemory(0, 0);

    private static final String EXPECTED = "a size such as 4G, 512M or 100K, or a share such as 50%";
    private static final Pattern TEXT = Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)\\s*([kKmMgGtT]?)(?:i?B)?|(.+)%");

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is out of its range, or both are given
     */
    public ExpertMemory {
        if (bytes < 0 || !(share >= 0 && share <= 1) || (bytes > 0 && share > 0)) {
            throw new IllegalArgumentException("expertMemory: expected bytes of 0 or more, or a share of 0 to 1, found "
                    + bytes + " and " + share);
        }
    }

    /** A number of bytes, buffers for reading included. */
    public static ExpertMemory ofBytes(long bytes) {
        return new ExpertMemory(bytes, 0);
    }

    /** A share of the experts, over 0 and at most 1. */
    public static ExpertMemory ofShare(double share) {
        return new ExpertMemory(0, share);
    }

    /**
     * Reads {@code 4G}, {@code 512M}, {@code 100K} (powers of 1024), a number of bytes, {@code 50%} or {@code all}.
     *
     * @throws IllegalArgumentException if it is none of these
     */
    public static ExpertMemory parse(String text) {
        if (text.equals("all")) {
            return ALL;
        }
        Matcher matcher = TEXT.matcher(text);
        try {
            if (matcher.matches() && matcher.group(3) != null) {
                double percent = Double.parseDouble(matcher.group(3));
                if (percent > 0 && percent <= 100) {
                    return ofShare(percent / 100);
                }
            } else if (matcher.matches()) {
                int unit = "kmgt".indexOf(matcher.group(2).toLowerCase(Locale.ROOT));
                double bytes = Double.parseDouble(matcher.group(1))
                        * (matcher.group(2).isEmpty() ? 1 : Math.scalb(1.0, 10 * (unit + 1)));
                if (bytes >= 1 && bytes < Long.MAX_VALUE) {
                    return ofBytes((long) bytes);
                }
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(expected(text), e);
        }
        throw new IllegalArgumentException(expected(text));
    }

    private static String expected(String text) {
        return "expertMemory: expected " + EXPECTED + ", or all, found \"" + text + "\"";
    }

    /** True if all experts are loaded with the rest of the model. */
    public boolean all() {
        return bytes == 0 && share == 0;
    }

    /** The text that {@link #parse} reads. */
    @Override
    public String toString() {
        if (all()) {
            return "all";
        }
        return bytes > 0 ? Long.toString(bytes) : share * 100 + "%";
    }
}
