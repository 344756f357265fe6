package dev.remora.core.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Parses the statements of a template: what stands between <code>{%</code> and <code>%}</code>. */
final class StatementParser extends ExpressionParser {
    private static final Set<String> OTHER_TEMPLATES = Set.of("include", "import", "from", "extends", "block");
    private static final Set<String> CONSTANTS = Set.of("true", "True", "false", "False", "none", "None");

    private int loops;
    private String endTag = "";

    private StatementParser(List<Token> tokens, String source) {
        super(tokens, source);
    }

    static List<Node.Statement> parse(String template, String source) {
        return new StatementParser(Lexer.tokens(template, source), source).body(null, Set.of());
    }

    /** The statements up to a tag of {@code ends}, whose name is then consumed and in {@link #endTag}. */
    private List<Node.Statement> body(Token opening, Set<String> ends) {
        enter();
        List<Node.Statement> body = new ArrayList<>();
        while (true) {
            Token token = next();
            switch (token.kind()) {
                case DATA -> body.add(new Node.Text(token.text()));
                case VARIABLE_BEGIN -> {
                    body.add(new Node.Output(tuple(true, null)));
                    expect(Token.Kind.VARIABLE_END, "'}}'");
                    throwUnknown();
                }
                case BLOCK_BEGIN -> {
                    Token tag = expect(Token.Kind.NAME, "the name of a tag");
                    if (ends.contains(tag.text())) {
                        leave();
                        endTag = tag.text();
                        return List.copyOf(body);
                    }
                    body.add(statement(tag));
                    expect(Token.Kind.BLOCK_END, "'%}'");
                    throwUnknown();
                }
                default -> {
                    if (opening != null) {
                        throw error(opening.line(), "'" + opening.text() + "' has no 'end" + opening.text() + "'");
                    }
                    leave();
                    return List.copyOf(body);
                }
            }
        }
    }

    /** The body of {@code opening}, whose tag ends here. */
    private List<Node.Statement> bodyOf(Token opening, String... ends) {
        skipOperator(":");
        expect(Token.Kind.BLOCK_END, "'%}'");
        return body(opening, Set.of(ends));
    }

    private Node.Statement statement(Token tag) {
        return switch (tag.text()) {
            case "if" -> ifStatement(tag);
            case "for" -> forStatement(tag);
            case "set" -> set(tag);
            case "macro" -> macro(tag);
            case "call" -> call(tag);
            case "filter" -> {
                Node.Expression filter = pipeline(filter(captured(tag.line())));
                yield new Node.FilterBlock(filter, bodyOf(tag, "endfilter"));
            }
            case "with" -> with(tag);
            case "generation" -> new Node.Block(outsideLoops(() -> bodyOf(tag, "endgeneration")));
            case "print" -> {
                List<Node.Statement> outputs = new ArrayList<>();
                do {
                    outputs.add(new Node.Output(expression()));
                } while (skipOperator(","));
                yield new Node.Block(List.copyOf(outputs));
            }
            case "break", "continue" -> {
                if (loops == 0) {
                    throw error(tag.line(), "'" + tag.text() + "' outside a loop");
                }
                yield tag.text().equals("break") ? new Node.Break() : new Node.Continue();
            }
            default -> {
                if (OTHER_TEMPLATES.contains(tag.text())) {
                    throw error(
                            tag.line(),
                            "'" + tag.text() + "' is not supported: a chat template stands alone, without other files");
                }
                throw error(
                        tag.line(),
                        (tag.text().startsWith("end") || tag.text().startsWith("el") ? "misplaced" : "unknown")
                                + " tag '" + tag.text() + "'");
            }
        };
    }

    private Node.Statement ifStatement(Token tag) {
        List<Node.Expression> tests = new ArrayList<>();
        List<List<Node.Statement>> bodies = new ArrayList<>();
        List<Node.Statement> otherwise = List.of();
        conditional++;
        do {
            tests.add(tuple(false, null));
            bodies.add(bodyOf(tag, "elif", "else", "endif"));
        } while (endTag.equals("elif"));
        if (endTag.equals("else")) {
            otherwise = bodyOf(tag, "endif");
        }
        conditional--;
        return new Node.If(List.copyOf(tests), List.copyOf(bodies), otherwise);
    }

    private Node.Statement forStatement(Token tag) {
        Node.Target target = target("in", false);
        if (!skipName("in")) {
            throw error(peek().line(), "expected 'in', found " + peek().describe());
        }
        Node.Expression iterable = tuple(false, "recursive");
        Node.Expression filter = skipName("if") ? expression() : null;
        boolean recursive = skipName("recursive");
        loops++;
        List<Node.Statement> body = bodyOf(tag, "else", "endfor");
        loops--;
        List<Node.Statement> otherwise = endTag.equals("else") ? bodyOf(tag, "endfor") : List.of();
        return new Node.For(tag.line(), target, iterable, filter, recursive, body, otherwise);
    }

    private Node.Statement set(Token tag) {
        Node.Target target = target(null, true);
        if (skipOperator("=")) {
            return new Node.Assign(tag.line(), target, tuple(true, null));
        }
        Node.Expression filter = peek().isOperator("|") ? pipeline(captured(tag.line())) : null;
        return new Node.AssignBlock(tag.line(), target, filter, outsideLoops(() -> bodyOf(tag, "endset")));
    }

    private static Node.Expression captured(int line) {
        return new Node.Name(line, Node.CAPTURED);
    }

    private Node.Expression pipeline(Node.Expression start) {
        Node.Expression value = start;
        while (skipOperator("|")) {
            value = filter(value);
        }
        return value;
    }

    private Node.Statement macro(Token tag) {
        String name = expectName();
        Set<String> outer = implicit;
        implicit = new HashSet<>();
        List<String> parameters = new ArrayList<>();
        List<Node.Expression> defaults = parameters(parameters);
        List<Node.Statement> body = outsideLoops(() -> bodyOf(tag, "endmacro"));
        Node.Signature signature = signature(name, parameters, defaults);
        outer.addAll(implicit);
        implicit = outer;
        return new Node.MacroDefinition(signature, body);
    }

    private Node.Statement call(Token tag) {
        Set<String> outer = implicit;
        implicit = new HashSet<>();
        List<String> parameters = new ArrayList<>();
        List<Node.Expression> defaults = peek().isOperator("(") ? parameters(parameters) : List.of();
        if (!(expression() instanceof Node.Call call)) {
            throw error(tag.line(), "expected the call of a macro after 'call'");
        }
        List<Node.Statement> body = outsideLoops(() -> bodyOf(tag, "endcall"));
        Node.Signature signature = signature("caller", parameters, defaults);
        outer.addAll(implicit);
        implicit = outer;
        return new Node.CallBlock(tag.line(), call, signature, body);
    }

    private Node.Signature signature(String name, List<String> parameters, List<Node.Expression> defaults) {
        return new Node.Signature(
                name,
                List.copyOf(parameters),
                defaults,
                implicit.contains("varargs"),
                implicit.contains("kwargs"),
                implicit.contains("caller"));
    }

    private List<Node.Expression> parameters(List<String> names) {
        List<Node.Expression> defaults = new ArrayList<>();
        expectOperator("(");
        while (!skipOperator(")")) {
            if (!names.isEmpty()) {
                expectOperator(",");
            }
            Token name = expect(Token.Kind.NAME, "a parameter");
            names.add(assignable(name));
            if (skipOperator("=")) {
                defaults.add(expression());
            } else if (!defaults.isEmpty()) {
                throw error(name.line(), "parameter '" + name.text() + "' needs a default, as those before it have");
            }
        }
        return List.copyOf(defaults);
    }

    private Node.Statement with(Token tag) {
        List<Node.Target> targets = new ArrayList<>();
        List<Node.Expression> values = new ArrayList<>();
        while (peek().kind() == Token.Kind.NAME) {
            targets.add(new Node.NameTarget(assignable(next())));
            expectOperator("=");
            values.add(expression());
            if (!skipOperator(",")) {
                break;
            }
        }
        return new Node.With(tag.line(), List.copyOf(targets), List.copyOf(values), bodyOf(tag, "endwith"));
    }

    /** A target of {@code set} or {@code for}: a name, several, or an attribute of a namespace. */
    private Node.Target target(String end, boolean mayBeNamespace) {
        List<Node.Target> targets = new ArrayList<>();
        boolean tuple = false;
        do {
            if (tuple && (peek().isName(end) || peek().isOperator("=") || peek().isOperator(")"))) {
                break;
            }
            targets.add(singleTarget(mayBeNamespace));
            tuple |= peek().isOperator(",");
        } while (skipOperator(","));
        return tuple ? new Node.TupleTarget(List.copyOf(targets)) : targets.getFirst();
    }

    private Node.Target singleTarget(boolean mayBeNamespace) {
        if (skipOperator("(")) {
            enter();
            Node.Target inner = target(")", mayBeNamespace);
            leave();
            expectOperator(")");
            return inner;
        }
        Token name = expect(Token.Kind.NAME, "a name to assign to");
        if (mayBeNamespace && skipOperator(".")) {
            return new Node.NamespaceTarget(name.text(), expectName());
        }
        return new Node.NameTarget(assignable(name));
    }

    private String assignable(Token name) {
        if (CONSTANTS.contains(name.text())) {
            throw error(name.line(), "cannot assign to '" + name.text() + "'");
        }
        return name.text();
    }

    private List<Node.Statement> outsideLoops(Supplier<List<Node.Statement>> body) {
        int outer = loops;
        loops = 0;
        List<Node.Statement> statements = body.get();
        loops = outer;
        return statements;
    }
}
