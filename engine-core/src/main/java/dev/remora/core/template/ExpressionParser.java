package dev.remora.core.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Recursive descent over Jinja's expressions; each method is one level of precedence, loosest first. */
class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final List<Token> tokens;
    private final String source;
    private int at;
    private int depth;

    /** Above 0 inside a condition: what may never run may name filters that do not exist. */
    int conditional;

    /** The first unknown filter or test; forgotten where a condition turns out to follow it. */
    private TemplateException unknown;

    /** Which of varargs, kwargs and caller the macro being parsed reads. */
    Set<String> implicit = new HashSet<>();

    ExpressionParser(List<Token> tokens, String source) {
        this.tokens = tokens;
        this.source = source;
    }

    final Token peek() {
        return tokens.get(at);
    }

    private Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    final Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    final boolean skipOperator(String operator) {
        if (!peek().isOperator(operator)) {
            return false;
        }
        at++;
        return true;
    }

    final boolean skipName(String name) {
        if (!peek().isName(name)) {
            return false;
        }
        at++;
        return true;
    }

    final void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw error(peek().line(), "expected '" + operator + "', found " + peek().describe());
        }
    }

    final String expectName() {
        return expect(Token.Kind.NAME, "a name").text();
    }

    final Token expect(Token.Kind kind, String what) {
        if (peek().kind() != kind) {
            throw error(peek().line(), "expected " + what + ", found " + peek().describe());
        }
        return next();
    }

    final TemplateException error(int line, String reason) {
        return new TemplateException(source, line, reason, null);
    }

    final void enter() {
        if (++depth > Limits.NESTING) {
            throw error(peek().line(), "nested too deeply");
        }
    }

    final void leave() {
        depth--;
    }

    private void chain(int length) {
        if (length > Limits.CHAIN) {
            throw error(peek().line(), "more than " + Limits.CHAIN + " operators in a row");
        }
    }

    final Node.Expression expression() {
        enter();
        int line = peek().line();
        TemplateException before = unknown;
        Node.Expression value = or();
        for (int n = 0; skipName("if"); chain(++n)) {
            unknown = before;
            conditional++;
            Node.Expression test = or();
            Node.Expression otherwise = skipName("else") ? expression() : null;
            value = new Node.Choice(line, test, value, otherwise);
            conditional--;
        }
        leave();
        return value;
    }

    /** One expression, or several with commas as a tuple. */
    final Node.Expression tuple(boolean mayChoose, String end) {
        int line = peek().line();
        List<Node.Expression> items = new ArrayList<>();
        boolean tuple = false;
        while (!atTupleEnd(end)) {
            items.add(mayChoose ? expression() : nestedOr());
            if (!skipOperator(",")) {
                break;
            }
            tuple = true;
        }
        if (!tuple && !items.isEmpty()) {
            return items.getFirst();
        }
        if (!tuple && !")".equals(end)) {
            throw error(line, "expected an expression, found " + peek().describe());
        }
        return new Node.TupleOf(line, List.copyOf(items));
    }

    private boolean atTupleEnd(String end) {
        Token token = peek();
        return switch (token.kind()) {
            case VARIABLE_END, BLOCK_END, END -> true;
            case OPERATOR -> token.text().equals(")");
            case NAME -> token.text().equals(end);
            default -> false;
        };
    }

    private Node.Expression nestedOr() {
        enter();
        Node.Expression value = or();
        leave();
        return value;
    }

    private Node.Expression or() {
        int line = peek().line();
        Node.Expression left = and();
        for (int n = 0; skipName("or"); chain(++n)) {
            left = new Node.Or(line, left, and());
        }
        return left;
    }

    private Node.Expression and() {
        int line = peek().line();
        Node.Expression left = not();
        for (int n = 0; skipName("and"); chain(++n)) {
            left = new Node.And(line, left, not());
        }
        return left;
    }

    private Node.Expression not() {
        int line = peek().line();
        if (!skipName("not")) {
            return compare();
        }
        enter();
        Node.Expression operand = not();
        leave();
        return new Node.Not(line, operand);
    }

    private Node.Expression compare() {
        int line = peek().line();
        Node.Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Node.Expression> rest = new ArrayList<>();
        while (true) {
            if (peek().kind() == Token.Kind.OPERATOR && COMPARISONS.contains(peek().text())) {
                operators.add(next().text());
            } else if (skipName("in")) {
                operators.add("in");
            } else if (peek().isName("not") && peekSecond().isName("in")) {
                next();
                next();
                operators.add("not in");
            } else {
                break;
            }
            rest.add(sum());
        }
        return operators.isEmpty() ? first : new Node.Compare(line, first, List.copyOf(operators), List.copyOf(rest));
    }

    private Node.Expression sum() {
        Node.Expression left = concat();
        for (int n = 0; peek().isOperator("+") || peek().isOperator("-"); chain(++n)) {
            Token operator = next();
            left = new Node.Arithmetic(operator.line(), operator.text(), left, concat());
        }
        return left;
    }

    private Node.Expression concat() {
        int line = peek().line();
        Node.Expression first = product();
        if (!peek().isOperator("~")) {
            return first;
        }
        List<Node.Expression> parts = new ArrayList<>(List.of(first));
        while (skipOperator("~")) {
            parts.add(product());
        }
        return new Node.Concat(line, List.copyOf(parts));
    }

    private Node.Expression product() {
        Node.Expression left = power();
        for (int n = 0; isProduct(peek()); chain(++n)) {
            Token operator = next();
            left = new Node.Arithmetic(operator.line(), operator.text(), left, power());
        }
        return left;
    }

    private static boolean isProduct(Token token) {
        return token.isOperator("*") || token.isOperator("/") || token.isOperator("//") || token.isOperator("%");
    }

    private Node.Expression power() {
        Node.Expression left = unary(true);
        for (int n = 0; peek().isOperator("**"); chain(++n)) {
            Token operator = next();
            left = new Node.Arithmetic(operator.line(), operator.text(), left, unary(true));
        }
        return left;
    }

    private Node.Expression unary(boolean withFilter) {
        enter();
        int line = peek().line();
        Node.Expression value;
        if (peek().isOperator("-") || peek().isOperator("+")) {
            value = new Node.Sign(line, next().text().equals("-"), unary(false));
        } else {
            value = primary();
        }
        value = postfix(value);
        if (withFilter) {
            value = filters(value);
        }
        leave();
        return value;
    }

    final Node.Expression primary() {
        Token token = next();
        return switch (token.kind()) {
            case NAME -> name(token);
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (peek().kind() == Token.Kind.STRING) {
                    text.append(next().text());
                }
                yield new Node.Literal(token.line(), text.toString());
            }
            case INTEGER, FLOAT -> new Node.Literal(token.line(), token.value());
            case OPERATOR ->
                switch (token.text()) {
                    case "(" -> {
                        Node.Expression inner = tuple(true, ")");
                        expectOperator(")");
                        yield inner;
                    }
                    case "[" -> {
                        List<Node.Expression> items = new ArrayList<>();
                        while (!skipOperator("]")) {
                            items.add(expression());
                            separator("]");
                        }
                        yield new Node.ListOf(token.line(), List.copyOf(items));
                    }
                    case "{" -> dict(token.line());
                    default -> throw error(token.line(), "unexpected '" + token.text() + "'");
                };
            default -> throw error(token.line(), "expected an expression, found " + token.describe());
        };
    }

    private void separator(String end) {
        if (!peek().isOperator(end)) {
            expectOperator(",");
        }
    }

    private Node.Expression name(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Node.Literal(token.line(), true);
            case "false", "False" -> new Node.Literal(token.line(), false);
            case "none", "None" -> new Node.Literal(token.line(), null);
            default -> {
                implicit.add(token.text());
                yield new Node.Name(token.line(), token.text());
            }
        };
    }

    private Node.Expression dict(int line) {
        List<Node.Expression> keys = new ArrayList<>();
        List<Node.Expression> values = new ArrayList<>();
        while (!skipOperator("}")) {
            keys.add(expression());
            expectOperator(":");
            values.add(expression());
            separator("}");
        }
        return new Node.DictOf(line, List.copyOf(keys), List.copyOf(values));
    }

    final Node.Expression postfix(Node.Expression start) {
        Node.Expression value = start;
        for (int n = 0; ; chain(++n)) {
            Token token = peek();
            if (token.isOperator(".")) {
                next();
                Token member = next();
                value = switch (member.kind()) {
                    case NAME -> new Node.Attribute(token.line(), value, member.text());
                    case INTEGER -> new Node.Item(token.line(), value, new Node.Literal(member.line(), member.value()));
                    default ->
                        throw error(member.line(), "expected a name or number after '.', found " + member.describe());
                };
            } else if (token.isOperator("[")) {
                next();
                value = subscript(token.line(), value);
            } else if (token.isOperator("(")) {
                value = new Node.Call(token.line(), value, arguments());
            } else {
                return value;
            }
        }
    }

    private Node.Expression subscript(int line, Node.Expression target) {
        Node.Expression start = peek().isOperator(":") ? null : expression();
        if (start != null && !peek().isOperator(":")) {
            if (peek().isOperator(",")) {
                List<Node.Expression> items = new ArrayList<>(List.of(start));
                while (skipOperator(",")) {
                    items.add(expression());
                }
                start = new Node.TupleOf(line, List.copyOf(items));
            }
            expectOperator("]");
            return new Node.Item(line, target, start);
        }
        expectOperator(":");
        Node.Expression stop = bound();
        Node.Expression step = skipOperator(":") ? bound() : null;
        expectOperator("]");
        return new Node.Slice(line, target, start, stop, step);
    }

    private Node.Expression bound() {
        return peek().isOperator(":") || peek().isOperator("]") ? null : expression();
    }

    final Node.Arguments arguments() {
        int line = peek().line();
        expectOperator("(");
        List<Node.Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Node.Expression> named = new ArrayList<>();
        Node.Expression star = null;
        Node.Expression starStar = null;
        while (!skipOperator(")")) {
            boolean valid;
            if (skipOperator("*")) {
                valid = star == null && starStar == null;
                star = expression();
            } else if (skipOperator("**")) {
                valid = starStar == null;
                starStar = expression();
            } else if (peek().kind() == Token.Kind.NAME && peekSecond().isOperator("=")) {
                valid = starStar == null;
                names.add(next().text());
                next();
                named.add(expression());
            } else {
                valid = star == null && starStar == null && names.isEmpty();
                positional.add(expression());
            }
            if (!valid) {
                throw error(line, "arguments in the wrong order: positional ones come first, ** last");
            }
            separator(")");
        }
        return new Node.Arguments(List.copyOf(positional), List.copyOf(names), List.copyOf(named), star, starStar);
    }

    private Node.Expression filters(Node.Expression start) {
        Node.Expression value = start;
        for (int n = 0; ; chain(++n)) {
            Token token = peek();
            if (token.isOperator("|")) {
                next();
                value = filter(value);
            } else if (token.isName("is")) {
                next();
                value = condition(token.line(), value);
            } else if (token.isOperator("(")) {
                value = new Node.Call(token.line(), value, arguments());
            } else {
                return value;
            }
        }
    }

    /** The filter whose name comes next, applied to {@code target}. */
    final Node.Expression filter(Node.Expression target) {
        int line = peek().line();
        String name = expectName();
        if (conditional == 0) {
            check(line, () -> Filters.named(name));
        }
        Node.Arguments arguments = peek().isOperator("(") ? arguments() : Node.Arguments.NONE;
        return new Node.Filter(line, target, name, arguments);
    }

    private Node.Expression condition(int line, Node.Expression target) {
        boolean negated = skipName("not");
        String name = expectName();
        if (conditional == 0) {
            check(line, () -> Conditions.named(name));
        }
        Node.Arguments arguments = Node.Arguments.NONE;
        if (peek().isOperator("(")) {
            arguments = arguments();
        } else if (startsArgument(peek())) {
            if (peek().isName("is")) {
                throw error(line, "tests with 'is' cannot be chained");
            }
            enter();
            Node.Expression argument = postfix(primary());
            leave();
            arguments = new Node.Arguments(List.of(argument), List.of(), List.of(), null, null);
        }
        Node.Expression test = new Node.Condition(line, target, name, arguments);
        return negated ? new Node.Not(line, test) : test;
    }

    private static boolean startsArgument(Token token) {
        return switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
    }

    private void check(int line, Runnable lookup) {
        try {
            lookup.run();
        } catch (PyError e) {
            unknown = unknown == null ? error(line, e.getMessage()) : unknown;
        }
    }

    /** To be called behind each statement: throws if it names a filter or test that does not exist. */
    final void throwUnknown() {
        if (unknown != null) {
            throw unknown;
        }
    }
}
