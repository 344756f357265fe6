package dev.remora.core.template;

import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** The methods of Python's str. */
final class StringMethods {
    private StringMethods() {}

    /** The method of that name, null if there is none. */
    static Function of(String s, String name) {
        return switch (name) {
            case "upper" -> none(name, s.toUpperCase(Locale.ROOT));
            case "lower", "casefold" -> none(name, s.toLowerCase(Locale.ROOT));
            case "title" -> args -> title(s);
            case "capitalize" -> args -> PyString.capitalize(s);
            case "swapcase" -> args -> swapCase(s);
            case "strip", "lstrip", "rstrip" ->
                args -> {
                    String chars = args.bind(name, 0, "chars").string(0, null);
                    return PyString.strip(s, chars, !name.equals("rstrip"), !name.equals("lstrip"));
                };
            case "split", "rsplit" ->
                args -> {
                    Args.Bound a = args.bind(name, 0, "sep", "maxsplit");
                    return name.equals("split")
                            ? PyString.split(s, a.string(0, null), a.integer(1, -1))
                            : PyString.splitRight(s, a.string(0, null), a.integer(1, -1));
                };
            case "splitlines" ->
                args -> PyString.lines(s, args.bind(name, 0, "keepends").flag(0));
            case "partition", "rpartition" -> args -> partition(s, args, name);
            case "replace" ->
                args -> {
                    Args.Bound a = args.bind(name, 2, "old", "new", "count");
                    return PyString.replace(s, text(a, 0, name), text(a, 1, name), a.integer(2, -1));
                };
            case "removeprefix" ->
                args -> {
                    String prefix = text(args.bind(name, 1, "prefix"), 0, name);
                    return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
                };
            case "removesuffix" ->
                args -> {
                    String suffix = text(args.bind(name, 1, "suffix"), 0, name);
                    return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
                };
            case "startswith", "endswith" -> args -> affix(s, args, name);
            case "find", "rfind", "index", "rindex" -> args -> find(s, args, name);
            case "count" ->
                args -> {
                    Args.Bound a = args.bind(name, 1, "sub", "start", "end");
                    return count(window(s, a), text(a, 0, name));
                };
            case "join" -> args -> join(s, args.bind(name, 1, "iterable").get(0));
            case "format" -> args -> PyFormat.braces(s, args);
            case "zfill" ->
                args -> PyFormat.zeroFill(s, args.bind(name, 1, "width").integer(0, 0));
            case "center", "ljust", "rjust" ->
                args -> {
                    Args.Bound a = args.bind(name, 1, "width", "fillchar");
                    return PyString.pad(
                            s, a.integer(0, 0), a.string(1, " "), !name.equals("ljust"), !name.equals("rjust"));
                };
            default -> predicate(s, name);
        };
    }

    private static Function none(String name, String result) {
        return args -> {
            args.bind(name, 0);
            return result;
        };
    }

    private static Function predicate(String s, String name) {
        return switch (name) {
            case "isdigit", "isdecimal", "isnumeric" -> all(s, Character::isDigit);
            case "isalpha" -> all(s, Character::isLetter);
            case "isalnum" -> all(s, Character::isLetterOrDigit);
            case "isspace" -> all(s, PyString::isSpace);
            case "isascii" -> args -> s.chars().allMatch(c -> c < 128);
            case "islower" -> args -> isLower(s);
            case "isupper" -> args -> isUpper(s);
            case "istitle" -> args -> s.codePoints().anyMatch(Character::isLetter) && title(s).equals(s);
            case "isidentifier" -> args -> s.matches("(?U)[\\p{L}_]\\w*");
            default -> null;
        };
    }

    private static Function all(String s, IntPredicate test) {
        return args -> !s.isEmpty() && s.codePoints().allMatch(test);
    }

    static boolean isLower(String s) {
        return s.codePoints().anyMatch(Character::isLowerCase)
                && s.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isUpper(String s) {
        return s.codePoints().anyMatch(Character::isUpperCase)
                && s.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    private static String title(String s) {
        StringBuilder out = new StringBuilder(s.length());
        boolean inWord = false;
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return out.toString();
    }

    private static String swapCase(String s) {
        StringBuilder out = new StringBuilder(s.length());
        s.codePoints()
                .forEach(c -> out.appendCodePoint(
                        Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c)));
        return out.toString();
    }

    private static Object partition(String s, Args args, String name) {
        String separator = text(args.bind(name, 1, "sep"), 0, name);
        if (separator.isEmpty()) {
            throw new PyError("empty separator");
        }
        boolean first = name.equals("partition");
        int cut = first ? s.indexOf(separator) : s.lastIndexOf(separator);
        if (cut < 0) {
            return first ? PyTuple.of(s, "", "") : PyTuple.of("", "", s);
        }
        return PyTuple.of(s.substring(0, cut), separator, s.substring(cut + separator.length()));
    }

    private static boolean affix(String s, Args args, String name) {
        Args.Bound a = args.bind(name, 1, "affix", "start", "end");
        List<?> affixes = a.get(0) instanceof PyTuple tuple ? tuple : List.of(text(a, 0, name));
        String window = window(s, a);
        for (Object affix : affixes) {
            if (!(affix instanceof String text)) {
                throw new PyError(name + "() takes strings, not " + Values.typeName(affix));
            }
            if (window != null && (name.equals("startswith") ? window.startsWith(text) : window.endsWith(text))) {
                return true;
            }
        }
        return false;
    }

    private static Object find(String s, Args args, String name) {
        Args.Bound a = args.bind(name, 1, "sub", "start", "end");
        String wanted = text(a, 0, name);
        String window = window(s, a);
        int at = window == null ? -1 : name.startsWith("r") ? window.lastIndexOf(wanted) : window.indexOf(wanted);
        if (at < 0) {
            if (name.endsWith("index")) {
                throw new PyError("substring not found");
            }
            return -1L;
        }
        int size = s.codePointCount(0, s.length());
        int start = a.integer(1, 0);
        return (long) window.codePointCount(0, at) + Math.max(start < 0 ? start + size : start, 0);
    }

    private static long count(String window, String wanted) {
        if (window == null) {
            return 0;
        }
        if (wanted.isEmpty()) {
            return window.codePointCount(0, window.length()) + 1L;
        }
        long count = 0;
        for (int at = window.indexOf(wanted); at >= 0; at = window.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        return count;
    }

    /** What lies between arguments 1 and 2; null if the start is behind the end of {@code s}. */
    private static String window(String s, Args.Bound a) {
        int size = s.codePointCount(0, s.length());
        if (a.get(1) == null && a.get(2) == null) {
            return s;
        }
        return a.integer(1, 0) > size ? null : (String) Attributes.slice(s, a.get(1), a.get(2), null);
    }

    static String join(String separator, Object iterable) {
        StringBuilder out = new StringBuilder();
        int i = 0;
        for (Object item : Values.list(iterable)) {
            if (!(item instanceof String text)) {
                throw item instanceof Undefined undefined
                        ? undefined.error()
                        : new PyError(
                                "sequence item " + i + ": expected str instance, " + Values.typeName(item) + " found");
            }
            out.append(i++ == 0 ? "" : separator).append(text);
            Limits.text(out.length());
        }
        return out.toString();
    }

    /** A string that must be given, and be one. */
    private static String text(Args.Bound a, int i, String method) {
        String text = a.string(i, null);
        if (text == null) {
            throw new PyError(method + "() takes a string, not NoneType");
        }
        return text;
    }
}
