package dev.remora.core.template;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/** Runs the statements of one rendering. Not for several threads: each rendering has its own. */
final class Interpreter {
    enum Signal {
        NEXT,
        BREAK,
        CONTINUE
    }

    private final Evaluator evaluator;
    private StringBuilder out = new StringBuilder();
    private int steps;
    private int calls;

    Interpreter(String source) {
        this.evaluator = new Evaluator(source);
    }

    String render(List<Node.Statement> body, Scope scope) {
        run(body, scope);
        return out.toString();
    }

    Object evaluate(Node.Expression expression, Scope scope) {
        return evaluator.evaluate(expression, scope);
    }

    /** Runs {@code body} as a macro: gives what it writes. */
    String invoke(Runnable body) {
        step();
        if (++calls > Limits.CALLS) {
            throw new PyError("more than " + Limits.CALLS + " macro calls inside one another");
        }
        String text = capture(body);
        calls--;
        return text;
    }

    private String capture(Runnable body) {
        StringBuilder outer = out;
        out = new StringBuilder();
        body.run();
        String text = out.toString();
        out = outer;
        return text;
    }

    private void step() {
        if (++steps > Limits.STEPS) {
            throw new PyError("more than " + Limits.STEPS + " loop iterations and macro calls");
        }
    }

    Signal run(List<Node.Statement> statements, Scope scope) {
        for (Node.Statement statement : statements) {
            Signal signal;
            try {
                signal = run(statement, scope);
            } catch (PyError error) {
                throw evaluator.error(line(statement), error);
            }
            if (signal != Signal.NEXT) {
                return signal;
            }
        }
        return Signal.NEXT;
    }

    private static int line(Node.Statement statement) {
        return switch (statement) {
            case Node.Output output -> output.expression().line();
            case Node.FilterBlock block -> block.filter().line();
            case Node.For loop -> loop.line();
            case Node.Assign assign -> assign.line();
            case Node.AssignBlock block -> block.line();
            case Node.CallBlock block -> block.line();
            case Node.With with -> with.line();
            default -> 1;
        };
    }

    private Signal run(Node.Statement statement, Scope scope) {
        switch (statement) {
            case Node.Text text -> write(text.text());
            case Node.Output output -> write(Repr.str(evaluate(output.expression(), scope)));
            case Node.If branches -> {
                return branch(branches, scope);
            }
            case Node.For loop -> {
                return loop(loop, evaluate(loop.iterable(), scope), 0, scope);
            }
            case Node.Assign assign -> assign(assign.target(), evaluate(assign.value(), scope), scope);
            case Node.AssignBlock block -> {
                Scope inner = new Scope(scope);
                Object value = capture(() -> run(block.body(), inner));
                assign(block.target(), filtered(block.filter(), value, scope), scope);
            }
            case Node.FilterBlock block -> {
                String text = capture(() -> run(block.body(), new Scope(scope)));
                write(Repr.str(filtered(block.filter(), text, scope)));
            }
            case Node.MacroDefinition macro ->
                scope.set(macro.signature().name(), new Macro(macro.signature(), macro.body(), scope, this));
            case Node.CallBlock block -> {
                Macro caller = new Macro(block.signature(), block.body(), scope, this);
                write(Repr.str(evaluator.call(block.call(), Map.of("caller", caller), scope)));
            }
            case Node.With with -> {
                Scope inner = new Scope(scope);
                for (int i = 0; i < with.targets().size(); i++) {
                    assign(with.targets().get(i), evaluate(with.values().get(i), scope), inner);
                }
                return run(with.body(), inner);
            }
            case Node.Block block -> {
                return run(block.body(), new Scope(scope));
            }
            case Node.Break stop -> {
                return Signal.BREAK;
            }
            case Node.Continue next -> {
                return Signal.CONTINUE;
            }
        }
        return Signal.NEXT;
    }

    private void write(String text) {
        out.append(text);
        Limits.text(out.length());
    }

    private Object filtered(Node.Expression filter, Object captured, Scope scope) {
        if (filter == null) {
            return captured;
        }
        Scope inner = new Scope(scope);
        inner.set(Node.CAPTURED, captured);
        return evaluate(filter, inner);
    }

    private Signal branch(Node.If branches, Scope scope) {
        for (int i = 0; i < branches.tests().size(); i++) {
            if (Values.truth(evaluate(branches.tests().get(i), scope))) {
                return run(branches.bodies().get(i), scope);
            }
        }
        return run(branches.otherwise(), scope);
    }

    private Signal loop(Node.For node, Object iterable, int depth0, Scope scope) {
        Iterator<Object> items = Values.iterate(iterable);
        boolean counted = node.filter() == null && Values.isSized(iterable);
        Loop loop = new Loop(
                node.filter() == null ? items : new FilteredItems(items, node, scope),
                counted ? Values.length(iterable) : -1,
                depth0,
                !node.recursive() ? null : inner -> invoke(() -> loop(node, inner, depth0 + 1, scope)));
        boolean ran = false;
        while (loop.advance()) {
            step();
            Scope body = new Scope(scope);
            assign(node.target(), loop.current(), body);
            body.set("loop", loop);
            Signal signal = run(node.body(), body);
            if (signal == Signal.BREAK) {
                break;
            }
            // As in Jinja, an iteration that 'break' or 'continue' cut short does not count for the 'else'.
            ran |= signal == Signal.NEXT;
        }
        return ran || node.otherwise().isEmpty() ? Signal.NEXT : run(node.otherwise(), new Scope(scope));
    }

    private void assign(Node.Target target, Object value, Scope scope) {
        switch (target) {
            case Node.NameTarget name -> scope.set(name.name(), value);
            case Node.NamespaceTarget to -> {
                if (!(scope.get(to.namespace()) instanceof Namespace namespace)) {
                    throw new PyError("cannot assign attribute on non-namespace object '" + to.namespace() + "'");
                }
                namespace.set(to.attribute(), value);
            }
            case Node.TupleTarget tuple -> {
                List<Object> values = Values.list(value);
                if (values.size() != tuple.targets().size()) {
                    throw new PyError((values.size() > tuple.targets().size() ? "too many" : "not enough")
                            + " values to unpack (expected " + tuple.targets().size() + ", got " + values.size()
                            + ")");
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(tuple.targets().get(i), values.get(i), scope);
                }
            }
        }
    }

    /** The items for which the {@code if} of a for statement holds, each tested when the loop comes to it. */
    private final class FilteredItems implements Iterator<Object> {
        private final Iterator<Object> items;
        private final Node.For node;
        private final Scope scope;
        private Object next;
        private boolean found;

        FilteredItems(Iterator<Object> items, Node.For node, Scope scope) {
            this.items = items;
            this.node = node;
            this.scope = scope;
        }

        @Override
        public boolean hasNext() {
            while (!found && items.hasNext()) {
                step();
                next = items.next();
                Scope inner = new Scope(scope);
                assign(node.target(), next, inner);
                found = Values.truth(evaluate(node.filter(), inner));
            }
            return found;
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            found = false;
            return next;
        }
    }
}
