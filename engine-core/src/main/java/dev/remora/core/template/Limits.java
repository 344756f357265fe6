package dev.remora.core.template;

/**
 * What a template may use at most. A template comes with a downloaded model, so a hostile or broken one must end in an
 * error, not in a full heap or stack. The range is Jinja's sandbox's; the others are far above any published template.
 */
final class Limits {
    /** Numbers in one {@code range}. */
    static final int RANGE = 100_000;
    /** Characters in one string, and in the rendered text. */
    static final int TEXT = 1 << 26;
    /** Elements of one list. */
    static final int ITEMS = 1 << 22;
    /** Loop iterations and macro calls of one rendering. */
    static final int STEPS = 2_000_000;
    /** Macro calls and recursive loops inside one another. */
    static final int CALLS = 150;
    /** Expressions and statements inside one another. */
    static final int NESTING = 300;
    /** Operators of one kind in a row. */
    static final int CHAIN = 300;
    /** Bits of an integer. */
    static final int BITS = 1 << 16;

    private Limits() {}

    static String text(String text) {
        text((long) text.length());
        return text;
    }

    static void text(long characters) {
        if (characters > TEXT) {
            throw new PyError("the text grows beyond " + TEXT + " characters");
        }
    }

    static int items(long count) {
        if (count > ITEMS) {
            throw new PyError("the list grows beyond " + ITEMS + " elements");
        }
        return (int) count;
    }
}
