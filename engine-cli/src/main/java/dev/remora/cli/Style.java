package dev.remora.cli;

/** The few styles in use, as terminals understand them. */
final class Style {
    private static final String RESET = "\u001b[0m";

    private Style() {}

    static String dim(String text, boolean colours) {
        return styled("\u001b[2m", text, colours);
    }

    static String bold(String text, boolean colours) {
        return styled("\u001b[1m", text, colours);
    }

    static String red(String text, boolean colours) {
        return styled("\u001b[31m", text, colours);
    }

    static String yellow(String text, boolean colours) {
        return styled("\u001b[33m", text, colours);
    }

    static String green(String text, boolean colours) {
        return styled("\u001b[32m", text, colours);
    }

    private static String styled(String code, String text, boolean colours) {
        return colours ? code + text + RESET : text;
    }
}
