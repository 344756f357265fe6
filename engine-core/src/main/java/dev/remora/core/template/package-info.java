/**
 * Chat templates: an interpreter for the part of Jinja that the templates of published models use, with the semantics of
 * Hugging Face's {@code apply_chat_template} (a sandbox with immutable values, {@code trim_blocks}, {@code lstrip_blocks},
 * loop controls, {@code tojson} as Python's {@code json.dumps}).
 *
 * <p>Start at {@link dev.remora.core.template.ChatTemplate}. Text becomes tokens in {@code Lexer}, a tree of {@link
 * dev.remora.core.template.Node}s in {@code StatementParser} and {@code ExpressionParser}, and text again in {@code
 * Interpreter} and {@code Evaluator}. Everything that a template can call is in a table: {@code Filters}, {@code
 * Conditions} (Jinja's tests), {@code Attributes} (Python's methods) and {@code Globals}. What values mean (truth, order,
 * {@code str()}, arithmetic) is Python's, in {@code Values}, {@code Repr} and {@code Operators}.
 *
 * <p>Not here, and an error that says so where a template asks for it: inheritance and inclusion of other templates, and
 * automatic HTML escaping ({@code safe} changes nothing). Never here: files, reflection, randomness.
 */
package dev.remora.core.template;
