package dev.remora.core.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Computes the values of expressions, and gives errors their line. */
final class Evaluator {
    private final String source;

    Evaluator(String source) {
        this.source = source;
    }

    TemplateException error(int line, PyError error) {
        return new TemplateException(source, line, error.getMessage(), error);
    }

    Object evaluate(Node.Expression expression, Scope scope) {
        try {
            return switch (expression) {
                case Node.Literal literal -> literal.value();
                case Node.Name name -> scope.get(name.name());
                case Node.Attribute attribute ->
                    Attributes.attribute(evaluate(attribute.target(), scope), attribute.name());
                case Node.Item item -> Attributes.item(evaluate(item.target(), scope), evaluate(item.index(), scope));
                case Node.Slice slice -> slice(slice, scope);
                case Node.ListOf list -> all(list.items(), scope);
                case Node.TupleOf tuple -> PyTuple.copyOf(all(tuple.items(), scope));
                case Node.DictOf dict -> dict(dict, scope);
                case Node.Call call -> call(call, Map.of(), scope);
                case Node.Filter filter -> {
                    Object value = evaluate(filter.target(), scope);
                    yield Filters.named(filter.name()).apply(value, arguments(filter.arguments(), Map.of(), scope));
                }
                case Node.Condition test -> {
                    Object value = evaluate(test.target(), scope);
                    yield Conditions.named(test.name()).holds(value, arguments(test.arguments(), Map.of(), scope));
                }
                case Node.Sign sign -> Operators.sign(sign.negative(), evaluate(sign.operand(), scope));
                case Node.Arithmetic a ->
                    Operators.apply(a.operator(), evaluate(a.left(), scope), evaluate(a.right(), scope));
                case Node.Concat concat -> concat(concat, scope);
                case Node.Compare compare -> compare(compare, scope);
                case Node.And and -> {
                    Object left = evaluate(and.left(), scope);
                    yield Values.truth(left) ? evaluate(and.right(), scope) : left;
                }
                case Node.Or or -> {
                    Object left = evaluate(or.left(), scope);
                    yield Values.truth(left) ? left : evaluate(or.right(), scope);
                }
                case Node.Not not -> !Values.truth(evaluate(not.operand(), scope));
                case Node.Choice choice -> choice(choice, scope);
            };
        } catch (PyError error) {
            throw error(expression.line(), error);
        }
    }

    private Object slice(Node.Slice slice, Scope scope) {
        return Attributes.slice(
                evaluate(slice.target(), scope),
                orNone(slice.start(), scope),
                orNone(slice.stop(), scope),
                orNone(slice.step(), scope));
    }

    private Object orNone(Node.Expression expression, Scope scope) {
        return expression == null ? null : evaluate(expression, scope);
    }

    private List<Object> all(List<Node.Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Node.Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private Object dict(Node.DictOf dict, Scope scope) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < dict.keys().size(); i++) {
            Object key = Values.key(evaluate(dict.keys().get(i), scope));
            map.put(key, evaluate(dict.values().get(i), scope));
        }
        return map;
    }

    private Object concat(Node.Concat concat, Scope scope) {
        StringBuilder text = new StringBuilder();
        for (Node.Expression part : concat.parts()) {
            text.append(Repr.str(evaluate(part, scope)));
            Limits.text(text.length());
        }
        return text.toString();
    }

    private boolean compare(Node.Compare compare, Scope scope) {
        Object left = evaluate(compare.first(), scope);
        for (int i = 0; i < compare.rest().size(); i++) {
            Object right = evaluate(compare.rest().get(i), scope);
            if (!Conditions.compare(compare.operators().get(i), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private Object choice(Node.Choice choice, Scope scope) {
        if (Values.truth(evaluate(choice.test(), scope))) {
            return evaluate(choice.then(), scope);
        }
        return choice.otherwise() == null
                ? new Undefined("the inline if-expression evaluated to false and no else section was defined")
                : evaluate(choice.otherwise(), scope);
    }

    /** Calls with the arguments of {@code call} and {@code more} by name. */
    Object call(Node.Call call, Map<String, Object> more, Scope scope) {
        Object target = evaluate(call.target(), scope);
        if (target instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!(target instanceof Function function)) {
            throw new PyError("'" + Values.typeName(target) + "' object is not callable");
        }
        return function.call(arguments(call.arguments(), more, scope));
    }

    private Args arguments(Node.Arguments given, Map<String, Object> more, Scope scope) {
        List<Object> positional = all(given.positional(), scope);
        if (given.star() != null) {
            positional.addAll(Values.list(evaluate(given.star(), scope)));
        }
        Map<String, Object> named = new LinkedHashMap<>();
        for (int i = 0; i < given.names().size(); i++) {
            put(named, given.names().get(i), evaluate(given.named().get(i), scope));
        }
        if (given.starStar() != null) {
            if (!(evaluate(given.starStar(), scope) instanceof Map<?, ?> map)) {
                throw new PyError("the argument after ** must be a mapping");
            }
            map.forEach((key, value) -> put(named, key, value));
        }
        more.forEach((key, value) -> put(named, key, value));
        return new Args(positional, named);
    }

    private static void put(Map<String, Object> named, Object key, Object value) {
        if (!(key instanceof String name)) {
            throw new PyError("keywords must be strings");
        }
        if (named.containsKey(name)) {
            throw new PyError("keyword argument repeated: " + name);
        }
        named.put(name, value);
    }
}
