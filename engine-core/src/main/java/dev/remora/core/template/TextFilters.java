package dev.remora.core.template;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The filters of strings. As in Jinja, they take any value by its {@code str()}. */
final class TextFilters {
    private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern TITLE_PART = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

    private TextFilters() {}

    static Map<String, Filter> all() {
        return Map.ofEntries(
                plain("upper", s -> s.toUpperCase(Locale.ROOT)),
                plain("lower", s -> s.toLowerCase(Locale.ROOT)),
                plain("capitalize", PyString::capitalize),
                plain("title", TextFilters::title),
                Map.entry("trim", TextFilters::trim),
                Map.entry("replace", TextFilters::replace),
                plain("string", s -> s),
                plain("safe", s -> s),
                plain("escape", TextFilters::escape),
                plain("e", TextFilters::escape),
                plain("forceescape", TextFilters::escape),
                Map.entry("indent", TextFilters::indent),
                Map.entry("center", (v, a) -> {
                    int width = a.bind("center", 0, "width").integer(0, 80);
                    return PyString.pad(Repr.str(v), width, " ", true, true);
                }),
                Map.entry("truncate", TextFilters::truncate),
                plain("wordcount", s -> WORD.matcher(s).results().count()),
                plain("striptags", TextFilters::stripTags),
                Map.entry("format", TextFilters::format),
                Map.entry("urlencode", TextFilters::urlEncode));
    }

    private static Map.Entry<String, Filter> plain(String name, java.util.function.Function<String, Object> filter) {
        return Map.entry(name, (value, args) -> {
            args.bind(name, 0);
            return filter.apply(Repr.str(value));
        });
    }

    private static Object trim(Object value, Args args) {
        return PyString.strip(Repr.str(value), args.bind("trim", 0, "chars").string(0, null), true, true);
    }

    private static Object replace(Object value, Args args) {
        Args.Bound a = args.bind("replace", 2, "old", "new", "count");
        return PyString.replace(Repr.str(value), Repr.str(a.get(0)), Repr.str(a.get(1)), a.integer(2, -1));
    }

    private static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        Matcher separator = TITLE_PART.matcher(text);
        int start = 0;
        while (separator.find()) {
            out.append(PyString.capitalize(text.substring(start, separator.start())))
                    .append(separator.group());
            start = separator.end();
        }
        return out.append(PyString.capitalize(text.substring(start))).toString();
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace(">", "&gt;")
                .replace("<", "&lt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }

    private static String stripTags(String text) {
        String bare = text.replaceAll("(?s)<!--.*?-->", "").replaceAll("(?s)<.*?>", "");
        return String.join(" ", PyString.split(bare, null, -1).toArray(String[]::new))
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&#34;", "\"")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
    }

    private static Object indent(Object value, Args args) {
        Args.Bound a = args.bind("indent", 0, "width", "first", "blank");
        if (!(value instanceof String text)) {
            throw value instanceof Undefined undefined
                    ? undefined.error()
                    : new PyError("indent() takes a string, not " + Values.typeName(value));
        }
        String indent = a.get(0) instanceof String given ? given : PyString.pad("", a.integer(0, 4), " ", true, false);
        StringBuilder out = new StringBuilder(a.flag(1) ? indent : "");
        int i = 0;
        for (Object part : PyString.lines(text + "\n", false)) {
            String line = (String) part;
            if (i++ > 0) {
                out.append('\n').append(line.isEmpty() && !a.flag(2) ? "" : indent);
            }
            out.append(line);
            Limits.text(out.length());
        }
        return out.toString();
    }

    private static Object truncate(Object value, Args args) {
        Args.Bound a = args.bind("truncate", 0, "length", "killwords", "end", "leeway");
        int length = a.integer(0, 255);
        String end = a.string(2, "...");
        if (length < end.length() || a.integer(3, 5) < 0) {
            throw new PyError("truncate() needs a length of at least that of its end, and no negative leeway");
        }
        if (Values.length(value) <= (long) length + a.integer(3, 5)) {
            return value;
        }
        String cut = (String) Attributes.slice(Repr.str(value), null, (long) length - end.length(), null);
        return (a.flag(1) ? cut : PyString.splitRight(cut, " ", 1).getFirst()) + end;
    }

    private static Object format(Object value, Args args) {
        if (!args.named().isEmpty()) {
            if (!args.positional().isEmpty()) {
                throw new PyError("format can't handle positional and keyword arguments at the same time");
            }
            return PyFormat.percent(Repr.str(value), new LinkedHashMap<>(args.named()));
        }
        return PyFormat.percent(Repr.str(value), PyTuple.copyOf(args.positional()));
    }

    private static Object urlEncode(Object value, Args args) {
        args.bind("urlencode", 0);
        if (!(value instanceof Map || value instanceof List)) {
            return quote(value).replace("%2F", "/");
        }
        List<String> pairs = new ArrayList<>();
        for (Object pair : value instanceof Map<?, ?> map ? ContainerMethods.items(map) : Values.list(value)) {
            List<Object> parts = Values.list(pair);
            if (parts.size() != 2) {
                throw new PyError("urlencode takes pairs");
            }
            pairs.add((quote(parts.get(0)) + "=" + quote(parts.get(1))).replace("%20", "+"));
        }
        return String.join("&", pairs);
    }

    private static String quote(Object value) {
        return URLEncoder.encode(Repr.str(value), StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A")
                .replace("%7E", "~");
    }
}
