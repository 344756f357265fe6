package dev.remora.core.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The {@code loop} of a for statement. It reads ahead only where asked for {@code last}, {@code nextitem} or the length:
 * a filter of the loop may depend on what the body does.
 */
final class Loop implements Function {
    private enum Missing {
        MISSING
    }

    private final UnaryOperator<Object> recurse;
    private final int depth0;
    private Iterator<Object> items;
    private long length;
    private long index0 = -1;
    private Object before = Missing.MISSING;
    private Object current = Missing.MISSING;
    private Object after = Missing.MISSING;
    private Object lastChanged = Missing.MISSING;

    /**
     * @param length number of items, -1 if it must be counted
     * @param recurse renders the loop over other items, null if the loop is not recursive
     */
    Loop(Iterator<Object> items, long length, int depth0, UnaryOperator<Object> recurse) {
        this.items = items;
        this.length = length;
        this.depth0 = depth0;
        this.recurse = recurse;
    }

    boolean advance() {
        if (after instanceof Missing && !items.hasNext()) {
            return false;
        }
        before = current;
        current = after instanceof Missing ? items.next() : after;
        after = Missing.MISSING;
        index0++;
        return true;
    }

    Object current() {
        return current;
    }

    long index0() {
        return index0;
    }

    long length() {
        if (length < 0) {
            List<Object> rest = new ArrayList<>();
            items.forEachRemaining(rest::add);
            items = rest.iterator();
            length = rest.size() + index0 + 1 + (after instanceof Missing ? 0 : 1);
        }
        return length;
    }

    private Object peek() {
        if (after instanceof Missing && items.hasNext()) {
            after = items.next();
        }
        return after;
    }

    /** The attribute, null if there is none, {@link ContainerMethods.None} for None. */
    Object attribute(String name) {
        return switch (name) {
            case "index0" -> index0;
            case "index" -> index0 + 1;
            case "revindex0" -> length() - index0 - 1;
            case "revindex" -> length() - index0;
            case "first" -> index0 == 0;
            case "last" -> peek() instanceof Missing;
            case "length" -> length();
            case "depth0" -> (long) depth0;
            case "depth" -> depth0 + 1L;
            case "previtem" ->
                index0 == 0 ? new Undefined("there is no previous item") : ContainerMethods.orNone(before);
            case "nextitem" -> {
                Object next = peek();
                yield next instanceof Missing ? new Undefined("there is no next item") : ContainerMethods.orNone(next);
            }
            case "cycle" ->
                (Function) args -> {
                    if (args.positional().isEmpty()) {
                        throw new PyError("no items for cycling given");
                    }
                    return args.positional()
                            .get((int) (index0 % args.positional().size()));
                };
            case "changed" ->
                (Function) args -> {
                    boolean changed = lastChanged instanceof Missing || !Values.equal(lastChanged, args.positional());
                    lastChanged = args.positional();
                    return changed;
                };
            default -> null;
        };
    }

    @Override
    public Object call(Args args) {
        if (recurse == null) {
            throw new PyError("the loop must have the 'recursive' marker to be called recursively");
        }
        return recurse.apply(args.bind("loop", 1, "iterable").get(0));
    }

    int depth() {
        return depth0 + 1;
    }
}
