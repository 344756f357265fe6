package dev.remora.core.template;

import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template finds. */
final class Globals {
    private Globals() {}

    static Map<String, Object> all(Clock clock) {
        return Map.of(
                "range", (Function) Globals::range,
                "namespace", (Function) Namespace::create,
                "dict", (Function) Globals::dict,
                "cycler", (Function) args -> new Cycler(args.positional()),
                "joiner", (Function) Globals::joiner,
                "raise_exception",
                        (Function) args -> {
                            throw new PyError(Repr.str(
                                    args.bind("raise_exception", 1, "message").get(0)));
                        },
                "strftime_now",
                        (Function) args -> Strftime.format(
                                args.bind("strftime_now", 1, "format").string(0, ""), clock));
    }

    private static Object range(Args args) {
        Args.Bound a = args.bind("range", 1, "start", "stop", "step");
        for (int i = 0; i < 3; i++) {
            if (a.has(i) && !Values.isInteger(a.get(i))) {
                throw a.get(i) instanceof Undefined undefined
                        ? undefined.error()
                        : new PyError("'" + Values.typeName(a.get(i)) + "' object cannot be interpreted as an integer");
            }
        }
        boolean one = !a.has(1);
        return new PyRange(one ? 0 : a.integer(0, 0), a.integer(one ? 0 : 1, 0), a.integer(2, 1));
    }

    static Map<String, Object> dict(Args args) {
        Map<String, Object> dict = new LinkedHashMap<>();
        if (args.positional().size() > 1) {
            throw new PyError(
                    "dict expected at most 1 argument, got " + args.positional().size());
        }
        for (Object from : args.positional()) {
            for (Object pair : from instanceof Map<?, ?> map ? ContainerMethods.items(map) : Values.list(from)) {
                List<Object> parts = Values.list(pair);
                if (parts.size() != 2 || !(parts.get(0) instanceof String name)) {
                    throw new PyError("dict takes pairs of a string and a value");
                }
                dict.put(name, parts.get(1));
            }
        }
        dict.putAll(args.named());
        return dict;
    }

    private static Object joiner(Args args) {
        Object separator = args.bind("joiner", 0, "sep").get(0, ", ");
        boolean[] used = {false};
        return (Function) none -> {
            boolean first = !used[0];
            used[0] = true;
            return first ? "" : separator;
        };
    }

    /** Gives its items in turn. */
    static final class Cycler {
        private final List<Object> items;
        private int at;

        private Cycler(List<Object> items) {
            if (items.isEmpty()) {
                throw new PyError("at least one item has to be provided");
            }
            this.items = items;
        }

        Object attribute(String name) {
            return switch (name) {
                case "current" -> ContainerMethods.orNone(items.get(at));
                case "next" ->
                    (Function) args -> {
                        Object item = items.get(at);
                        at = (at + 1) % items.size();
                        return item;
                    };
                case "reset" ->
                    (Function) args -> {
                        at = 0;
                        return null;
                    };
                default -> null;
            };
        }
    }
}
