package dev.remora.core.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block, as a function that gives the text it writes. */
final class Macro implements Function {
    private final Node.Signature signature;
    private final List<Node.Statement> body;
    private final Scope definition;
    private final Interpreter interpreter;

    Macro(Node.Signature signature, List<Node.Statement> body, Scope definition, Interpreter interpreter) {
        this.signature = signature;
        this.body = body;
        this.definition = definition;
        this.interpreter = interpreter;
    }

    String name() {
        return signature.name();
    }

    Object attribute(String name) {
        return switch (name) {
            case "name" -> signature.name();
            case "arguments" -> PyTuple.copyOf(signature.parameters());
            case "catch_kwargs" -> signature.readsKwargs();
            case "catch_varargs" -> signature.readsVarargs();
            case "caller" -> signature.readsCaller();
            default -> null;
        };
    }

    @Override
    public Object call(Args args) {
        List<String> parameters = signature.parameters();
        List<Object> given = args.positional();
        Map<String, Object> rest = new LinkedHashMap<>(args.named());
        Scope scope = new Scope(definition);
        if (signature.readsCaller() && !parameters.contains("caller")) {
            Object caller = rest.remove("caller");
            scope.set("caller", caller == null ? new Undefined("No caller defined") : caller);
        }
        boolean[] missing = new boolean[parameters.size()];
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            missing[i] = i >= given.size() && !rest.containsKey(parameter);
            if (!missing[i]) {
                scope.set(parameter, i < given.size() ? given.get(i) : rest.remove(parameter));
            }
        }
        if (signature.readsKwargs()) {
            scope.set("kwargs", rest);
        } else if (!rest.isEmpty()) {
            throw new PyError("macro '" + name() + "' takes no keyword argument '"
                    + rest.keySet().iterator().next() + "'");
        }
        if (signature.readsVarargs()) {
            scope.set(
                    "varargs", PyTuple.copyOf(given.subList(Math.min(parameters.size(), given.size()), given.size())));
        } else if (given.size() > parameters.size()) {
            throw new PyError("macro '" + name() + "' takes not more than " + parameters.size() + " argument(s)");
        }
        return interpreter.invoke(() -> {
            fillDefaults(scope, missing);
            interpreter.run(body, scope);
        });
    }

    private void fillDefaults(Scope scope, boolean[] missing) {
        int firstDefault = missing.length - signature.defaults().size();
        for (int i = 0; i < missing.length; i++) {
            if (missing[i]) {
                String parameter = signature.parameters().get(i);
                scope.set(
                        parameter,
                        i < firstDefault
                                ? new Undefined("parameter '" + parameter + "' was not provided")
                                : interpreter.evaluate(signature.defaults().get(i - firstDefault), scope));
            }
        }
    }
}
