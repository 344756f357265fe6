package dev.remora.moe.policy;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What adapting a policy aims at. The policy says how far the router may depart from the exact one; while the target is
 * met, it departs less.
 *
 * @param quantity  what is measured
 * @param value     least or most of it
 * @param adjust    what is turned; empty: what the policy has that moves the quantity best
 * @param tolerance share of the value by which a measurement must miss it before anything is turned
 * @param every     steps of one measurement
 */
public record Target(Quantity quantity, double value, Optional<Knob> adjust, double tolerance, int every) {
    private static final int MOST_STEPS = 1 << 16;

    /** What can be aimed at. */
    public enum Quantity {
        /** Least tokens that all sequences together pass through the model in a second of steps. */
        TOKENS_PER_SECOND("tokens per second", true),
        /** Most bytes that are read from files per token. */
        BYTES_PER_TOKEN("bytes read per token", false),
        /** Least share of experts found in memory when they are asked for. */
        HIT_RATE("hit rate", true);

        private final String words;
        private final boolean least;

        Quantity(String words, boolean least) {
            this.words = words;
            this.least = least;
        }

        /** For people. */
        public String words() {
            return words;
        }

        /** True if more is better. */
        public boolean least() {
            return least;
        }

        /** True if it can only move where experts are read from files. */
        public boolean ofFiles() {
            return this != TOKENS_PER_SECOND;
        }
    }

    /** What can be turned, from what changes nothing to what the policy says. */
    public enum Knob {
        /** K of {@code topk:K}, from num_experts_per_tok down. */
        TOPK,
        /** The share of {@code mass:SHARE}, from 1 down. */
        MASS,
        /** Lambda of {@code available}, from 0 up. */
        LAMBDA,
        /** The factor of {@code capacity:FACTOR}, from what never limits down; measured on prompts. */
        CAPACITY
    }

    /** @throws IllegalArgumentException if a number is out of its range */
    public Target {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(word(quantity) + ": expected a number above 0, found " + value);
        }
        if (quantity == Quantity.HIT_RATE && value > 1) {
            throw new IllegalArgumentException("hit-rate: expected a share of at most 1, found " + value);
        }
        if (!(tolerance >= 0 && tolerance < 1)) {
            throw new IllegalArgumentException("tolerance: expected a share of 0 to less than 1, found " + tolerance);
        }
        if (every < 1 || every > MOST_STEPS) {
            throw new IllegalArgumentException("every: expected 1 to " + MOST_STEPS + " steps, found " + every);
        }
    }

    /**
     * Reads {@code tokens-per-second=8}, {@code bytes-per-token=200M} (K, M, G: powers of 1024) or {@code hit-rate=0.9},
     * and after it {@code adjust=topk|mass|lambda|capacity}, {@code tolerance=0.05} and {@code every=16}.
     *
     * @throws IllegalArgumentException if a setting is unknown or wrong; the message names it
     */
    public static Target parse(String text) {
        try {
            Settings settings = new Settings(text.strip());
            Quantity quantity = null;
            String value = null;
            for (Quantity each : Quantity.values()) {
                String found = settings.text(word(each), null);
                if (found != null && value != null) {
                    throw new IllegalArgumentException(
                            "expected one target, found " + word(quantity) + " and " + word(each) + "; leave one out");
                }
                quantity = found == null ? quantity : each;
                value = found == null ? value : found;
            }
            if (value == null) {
                throw new IllegalArgumentException(
                        "expected tokens-per-second=8, bytes-per-token=200M or hit-rate=0.9, found \"" + text + "\"");
            }
            Target target = new Target(
                    quantity,
                    number(quantity, value),
                    knob(settings.text("adjust", null)),
                    settings.number("tolerance", "0.05", "tolerance=0.05"),
                    (int) settings.longInteger("every", "16"));
            settings.requireAllRead();
            return target;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("target: " + e.getMessage(), e);
        }
    }

    private static double number(Quantity quantity, String text) {
        int unit = text.isEmpty() ? -1 : "KMG".indexOf(Character.toUpperCase(text.charAt(text.length() - 1)));
        boolean scaled = quantity == Quantity.BYTES_PER_TOKEN && unit >= 0;
        try {
            double number = Double.parseDouble(scaled ? text.substring(0, text.length() - 1) : text);
            return scaled ? Math.scalb(number, 10 * (unit + 1)) : number;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    word(quantity) + ": expected a number"
                            + (quantity == Quantity.BYTES_PER_TOKEN ? ", such as 200M" : "") + ", found \"" + text
                            + "\"",
                    e);
        }
    }

    private static Optional<Knob> knob(String text) {
        if (text == null) {
            return Optional.empty();
        }
        return Optional.of(Arrays.stream(Knob.values())
                .filter(knob -> word(knob).equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("adjust: expected "
                        + Arrays.stream(Knob.values()).map(Target::word).collect(Collectors.joining(", "))
                        + ", found \"" + text + "\"")));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The text that {@link #parse} reads. */
    @Override
    public String toString() {
        String number = value == Math.rint(value) && value < 1L << 53 ? Long.toString((long) value) : "" + value;
        return word(quantity) + "=" + number
                + adjust.map(knob -> ",adjust=" + word(knob)).orElse("") + ",tolerance=" + tolerance + ",every="
                + every;
    }
}
