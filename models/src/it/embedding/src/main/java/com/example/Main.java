package com.example;

/** Somebody's program that embeds Remora. The argument says how it was started; a wrong start or a wrong answer fails. */
public final class Main {
    public static void main(String[] args) {
        String path = Main.class.getModule().isNamed() ? "module path" : "class path";
        if (!path.equals(args[0])) {
            throw new AssertionError("expected to run on the " + args[0] + ", runs on the " + path);
        }
        String text = Embedding.run();
        if (text.isBlank()) {
            throw new AssertionError("no text");
        }
        System.out.println("Embedded on the " + path + ": " + text);
    }
}
