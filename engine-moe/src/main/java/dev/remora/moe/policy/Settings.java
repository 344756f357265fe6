package dev.remora.moe.policy;

import java.util.LinkedHashMap;
import java.util.Map;

/** What follows the name of a part: a first value without a key, {@code key=value} and flags, separated by commas. */
final class Settings {
    private final Map<String, String> values = new LinkedHashMap<>();

    Settings(String text) {
        if (text.isEmpty()) {
            return;
        }
        boolean first = true;
        for (String setting : text.split(",", -1)) {
            int equals = setting.indexOf('=');
            // A number in the first place belongs to the part itself.
            String key = equals >= 0 ? setting.substring(0, equals) : first ? "" : setting;
            if (values.put(key, setting.substring(equals + 1)) != null) {
                throw new IllegalArgumentException("expected each setting once, found a second \"" + setting + "\"");
            }
            first = false;
        }
    }

    int integer(String key, String example) {
        return (int) parseLong(key, required(key, example));
    }

    long longInteger(String key, String absent) {
        return parseLong(key, text(key, absent));
    }

    double number(String key, String example) {
        return parseDouble(key, required(key, example), example);
    }

    double number(String key, String absent, String example) {
        return parseDouble(key, text(key, absent), example);
    }

    String text(String key, String absent) {
        String value = values.remove(key);
        return value == null ? absent : value;
    }

    boolean flag(String name) {
        return values.remove(name) != null;
    }

    /** @throws IllegalArgumentException if a setting was not asked for: a typing error */
    void requireAllRead() {
        if (!values.isEmpty()) {
            Map.Entry<String, String> unknown = values.entrySet().iterator().next();
            String name = unknown.getKey().isEmpty() ? unknown.getValue() : unknown.getKey();
            throw new IllegalArgumentException("found \"" + name + "\", which it does not have; leave it out");
        }
    }

    private String required(String key, String example) {
        String value = values.remove(key);
        if (value == null) {
            throw new IllegalArgumentException("expected a value, for example " + example + ", found none");
        }
        return value;
    }

    private static long parseLong(String key, String value) {
        try {
            return key.equals("seed") ? Long.parseLong(value) : Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(prefix(key) + "expected a whole number, found \"" + value + "\"", e);
        }
    }

    private static double parseDouble(String key, String value, String example) {
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    prefix(key) + "expected a number, for example " + example + ", found \"" + value + "\"", e);
        }
    }

    private static String prefix(String key) {
        return key.isEmpty() ? "" : key + ": ";
    }
}
