package dev.remora.core.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Python's {@code datetime.now().strftime}, in the C locale and without a time zone. */
final class Strftime {
    private Strftime() {}

    static String format(String format, Clock clock) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char kind = format.charAt(++i);
            boolean bare = kind == '-' && i + 1 < format.length();
            String field = field(bare ? format.charAt(++i) : kind, now);
            out.append(
                    bare && field.length() > 1 && field.startsWith("0") ? field.replaceFirst("^0+(?=.)", "") : field);
        }
        return out.toString();
    }

    private static String field(char kind, ZonedDateTime now) {
        return switch (kind) {
            case 'Y' -> pattern("yyyy", now);
            case 'y' -> pattern("yy", now);
            case 'm' -> pattern("MM", now);
            case 'd' -> pattern("dd", now);
            case 'e' -> "%2d".formatted(now.getDayOfMonth());
            case 'b', 'h' -> pattern("MMM", now);
            case 'B' -> pattern("MMMM", now);
            case 'a' -> pattern("EEE", now);
            case 'A' -> pattern("EEEE", now);
            case 'H' -> pattern("HH", now);
            case 'I' -> pattern("hh", now);
            case 'M' -> pattern("mm", now);
            case 'S' -> pattern("ss", now);
            case 'f' -> pattern("SSSSSS", now);
            case 'p' -> pattern("a", now);
            case 'j' -> pattern("DDD", now);
            case 'w' -> String.valueOf(now.getDayOfWeek().getValue() % 7);
            case 'u' -> String.valueOf(now.getDayOfWeek().getValue());
            case 'F' -> pattern("yyyy-MM-dd", now);
            case 'D', 'x' -> pattern("MM/dd/yy", now);
            case 'T', 'X' -> pattern("HH:mm:ss", now);
            case 'R' -> pattern("HH:mm", now);
            case 'c' -> pattern("EEE MMM ", now) + field('e', now) + pattern(" HH:mm:ss yyyy", now);
            case 'Z', 'z' -> "";
            case 'n' -> "\n";
            case 't' -> "\t";
            case '%' -> "%";
            default -> throw new PyError("strftime_now(): %" + kind + " is not supported");
        };
    }

    private static String pattern(String pattern, ZonedDateTime now) {
        // Locale.US: Locale.ROOT has no month names.
        return DateTimeFormatter.ofPattern(pattern, Locale.US).format(now);
    }
}
