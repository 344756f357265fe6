package dev.remora.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One finding of {@code doctor}.
 *
 * @param name what was looked at
 * @param found what was found
 * @param advice what to do; empty if nothing
 */
record Check(String name, Verdict verdict, String found, String advice) {
    /** What a finding means. */
    enum Verdict {
        OK,
        WARNING,
        FAILED
    }

    static Check ok(String name, String found) {
        return new Check(name, Verdict.OK, found, "");
    }

    static Check warning(String name, String found, String advice) {
        return new Check(name, Verdict.WARNING, found, advice);
    }

    static Check failed(String name, String found, String advice) {
        return new Check(name, Verdict.FAILED, found, advice);
    }

    /** For people. */
    String line(boolean colours) {
        String mark = switch (verdict) {
            case OK -> Style.green("ok     ", colours);
            case WARNING -> Style.yellow("warning", colours);
            case FAILED -> Style.red("FAILED ", colours);
        };
        return mark + "  " + String.format(Locale.ROOT, "%-12s", name) + "  " + found
                + (advice.isEmpty() ? "" : "\n" + " ".repeat(23) + advice);
    }

    /** For programs. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("name", name);
        map.put("verdict", verdict.name().toLowerCase(Locale.ROOT));
        map.put("found", found);
        map.put("advice", advice);
        return map;
    }
}
