package dev.remora.core.template;

import java.util.List;

/** The tree of a template: statements write text and bind names, expressions have a value. */
sealed interface Node {
    /** An expression; {@code line} is where it stands in the template. */
    sealed interface Expression extends Node {
        int line();
    }

    record Literal(int line, Object value) implements Expression {}

    record Name(int line, String name) implements Expression {}

    record ListOf(int line, List<Expression> items) implements Expression {}

    record TupleOf(int line, List<Expression> items) implements Expression {}

    record DictOf(int line, List<Expression> keys, List<Expression> values) implements Expression {}

    record Attribute(int line, Expression target, String name) implements Expression {}

    record Item(int line, Expression target, Expression index) implements Expression {}

    /** {@code target[start:stop:step]}; a missing part is null. */
    record Slice(int line, Expression target, Expression start, Expression stop, Expression step)
            implements Expression {}

    record Call(int line, Expression target, Arguments arguments) implements Expression {}

    record Filter(int line, Expression target, String name, Arguments arguments) implements Expression {}

    record Condition(int line, Expression target, String name, Arguments arguments) implements Expression {}

    record Sign(int line, boolean negative, Expression operand) implements Expression {}

    record Arithmetic(int line, String operator, Expression left, Expression right) implements Expression {}

    record Concat(int line, List<Expression> parts) implements Expression {}

    /** {@code first op[0] rest[0] op[1] rest[1] ...}, true if every neighbouring pair compares so. */
    record Compare(int line, Expression first, List<String> operators, List<Expression> rest) implements Expression {}

    record And(int line, Expression left, Expression right) implements Expression {}

    record Or(int line, Expression left, Expression right) implements Expression {}

    record Not(int line, Expression operand) implements Expression {}

    /** {@code then if test else otherwise}; a missing else is null. */
    record Choice(int line, Expression test, Expression then, Expression otherwise) implements Expression {}

    /** The arguments of a call, filter or test; {@code *star} and {@code **keywords} may be null. */
    record Arguments(
            List<Expression> positional,
            List<String> names,
            List<Expression> named,
            Expression star,
            Expression starStar) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), List.of(), null, null);
    }

    /** What a value can be assigned to. */
    sealed interface Target extends Node {}

    record NameTarget(String name) implements Target {}

    record TupleTarget(List<Target> targets) implements Target {}

    record NamespaceTarget(String namespace, String attribute) implements Target {}

    sealed interface Statement extends Node {}

    record Text(String text) implements Statement {}

    record Output(Expression expression) implements Statement {}

    /** if, elif...: the body of the first test that holds runs, otherwise {@code otherwise}. */
    record If(List<Expression> tests, List<List<Statement>> bodies, List<Statement> otherwise) implements Statement {}

    /** {@code filter} may be null. */
    record For(
            int line,
            Target target,
            Expression iterable,
            Expression filter,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Assign(int line, Target target, Expression value) implements Statement {}

    /** {@code filter} (may be null) reads the captured text from the name {@link #CAPTURED}. */
    record AssignBlock(int line, Target target, Expression filter, List<Statement> body) implements Statement {}

    record FilterBlock(Expression filter, List<Statement> body) implements Statement {}

    record MacroDefinition(Signature signature, List<Statement> body) implements Statement {}

    record CallBlock(int line, Call call, Signature signature, List<Statement> body) implements Statement {}

    record With(int line, List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {}

    /** A body with its own names: {@code {% generation %}}. */
    record Block(List<Statement> body) implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /**
     * Name and parameters of a macro. {@code defaults} belong to the last parameters. The flags say which of Jinja's
     * implicit names the body reads, and so what a call may pass.
     */
    record Signature(
            String name,
            List<String> parameters,
            List<Expression> defaults,
            boolean readsVarargs,
            boolean readsKwargs,
            boolean readsCaller) {}

    /** Not a name that a template can write. */
    String CAPTURED = "(captured)";
}
